use std::os::unix::ffi::OsStrExt;
use std::{ffi::OsStr, fs, os::unix::fs::symlink};

use autopr_core::ids::CommitSha;
use autopr_core::ports::Forge;
use autopr_local_git::{LocalGit, RangeSpec};

use crate::repo::{Repo, git, range, read};

async fn file(local: &LocalGit, commit: &CommitSha, path: &str) -> Option<String> {
    let content = local.file(&local.target().unwrap(), commit, path).await.unwrap();
    content.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn files_are_read_at_a_commit_and_in_the_index() {
    for format in ["sha1", "sha256"] {
        let repo = Repo::with_format(format);
        let first =
            repo.commit("one", &[(".autopr.yml", "version: 1\n"), ("a/b/c.txt", "deep\n"), ("--help", "odd\n")]);
        let second = repo.commit("two", &[(".autopr.yml", "version: 2\n")]);
        repo.write(".autopr.yml", "version: 3\n");
        repo.git(&["add", "-A"]);
        let local = repo.open().await.unwrap();
        let staged = CommitSha::zero();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(file(&local, &first, ".autopr.yml").await, some("version: 1\n"));
        assert_eq!(file(&local, &second, ".autopr.yml").await, some("version: 2\n"));
        assert_eq!(file(&local, &staged, ".autopr.yml").await, some("version: 3\n"));
        for commit in [&first, &second, &staged] {
            assert_eq!(file(&local, commit, "a/b/c.txt").await, some("deep\n"));
            assert_eq!(file(&local, commit, "--help").await, some("odd\n"));
            for absent in ["a", "a/b", "a/b/c.txt/d", "a//b/c.txt", "/a", "", "../app/--help", "*.yml", ":/", "x\ny"] {
                assert_eq!(file(&local, commit, absent).await, None, "{absent:?}");
            }
        }
    }
}

#[tokio::test]
async fn links_and_submodules_are_no_files() {
    let repo = Repo::with_topic();
    symlink("/etc/passwd", repo.path.join("link")).unwrap();
    repo.git(&["add", "link"]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},sub", repo.id("HEAD"))]);
    repo.git(&["commit", "-q", "-m", "odd entries"]);
    let local = repo.open().await.unwrap();
    for commit in [repo.id("HEAD"), CommitSha::zero()] {
        assert_eq!(file(&local, &commit, "link").await, None);
        assert_eq!(file(&local, &commit, "sub").await, None);
    }
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_refused_and_the_next_is_read() {
    let repo = Repo::with_topic();
    fs::write(repo.path.join("big"), vec![b'x'; 17 * 1024 * 1024]).unwrap();
    let head = repo.commit("big", &[]);
    let local = repo.open().await.unwrap();
    let fault = local.file(&local.target().unwrap(), &head, "big").await.unwrap_err();
    assert!(fault.to_string().contains("17825792 bytes, more than"), "{fault}");
    assert_eq!(file(&local, &head, "b.txt").await.as_deref(), Some("b\n"));
}

#[tokio::test]
async fn many_readers_share_one_git() {
    let repo = Repo::with_topic();
    let local = std::sync::Arc::new(repo.open().await.unwrap());
    let head = repo.id("topic");
    let readers: Vec<_> = (0..50)
        .map(|n| {
            let (local, head) = (std::sync::Arc::clone(&local), head.clone());
            tokio::spawn(async move { file(&local, &head, ["a.txt", "b.txt", "c.txt"][n % 3]).await })
        })
        .collect();
    for (n, reader) in readers.into_iter().enumerate() {
        assert_eq!(reader.await.unwrap().as_deref(), Some(["a\n", "b\n", "c\n"][n % 3]));
    }
}

#[tokio::test]
async fn a_diff_looks_the_same_whatever_is_configured() {
    let repo = Repo::new();
    repo.commit(
        "one",
        &[("old.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n"), ("z.txt", "z\n\nz\n"), (".gitattributes", "*.txt -diff\n")],
    );
    repo.git(&["mv", "old.txt", "new name.txt"]);
    repo.write("z.txt", "z\n\nzz\n");
    fs::write(repo.path.join(OsStr::from_bytes(b"\xffbytes")), "x\n").unwrap();
    fs::write(repo.path.join("bin"), b"\0\x01\x02").unwrap();
    repo.git(&["add", "-A"]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},sub", repo.id("HEAD"))]);
    repo.git(&["commit", "-q", "-m", "two"]);
    let local = repo.open().await.unwrap();
    let (_, plain) = read(&local, &RangeSpec::Default).await.unwrap();

    for setting in [
        "diff.noprefix=true",
        "diff.mnemonicPrefix=true",
        "diff.srcPrefix=x/",
        "diff.context=0",
        "diff.interHunkContext=9",
        "diff.suppressBlankEmpty=true",
        "diff.algorithm=patience",
        "diff.renames=false",
        "diff.ignoreSubmodules=all",
        "diff.submodule=log",
        "diff.orderFile=order",
        "diff.relative=true",
        "diff.colorMoved=zebra",
        "diff.indentHeuristic=false",
        "color.ui=always",
        "core.quotePath=false",
        "core.abbrev=5",
        "core.pager=false",
        "core.attributesFile=.gitattributes",
        "core.worktree=/nonexistent",
        "submodule.sub.ignore=all",
    ] {
        let (name, value) = setting.split_once('=').unwrap();
        git(&repo.path, &["--git-dir", ".git", "config", name, value]);
    }
    fs::write(repo.path.join(".git/info/attributes"), "* -diff\n").unwrap();
    let (_, configured) = read(&repo.open().await.unwrap(), &RangeSpec::Default).await.unwrap();
    assert_eq!(plain, configured);
    insta::assert_snapshot!(plain.replace(repo.id("HEAD~1").as_str(), "ID"), @r#"
    diff --git a/bin b/bin
    new file mode 100644
    index 0000000000000000000000000000000000000000..8352675d67aed6625ece79af41c27fdb4ee2e867
    Binary files /dev/null and b/bin differ
    diff --git a/old.txt b/new name.txt
    similarity index 100%
    rename from old.txt
    rename to new name.txt
    diff --git a/sub b/sub
    new file mode 160000
    index 0000000000000000000000000000000000000000..ID
    --- /dev/null
    +++ b/sub
    @@ -0,0 +1 @@
    +Subproject commit ID
    diff --git a/z.txt b/z.txt
    index f7756c9ccc9c5d7c1fd25cde7901e6b07622e226..617a0d2cea41815b3993fb02c55cb71387c0e409 100644
    --- a/z.txt
    +++ b/z.txt
    @@ -1,3 +1,3 @@
     z
     
    -z
    +zz
    diff --git "a/\377bytes" "b/\377bytes"
    new file mode 100644
    index 0000000000000000000000000000000000000000..587be6b4c3f93f93c489c0111bba5596147a26cb
    --- /dev/null
    +++ "b/\377bytes"
    @@ -0,0 +1 @@
    +x
    "#);
}

#[tokio::test]
async fn replaced_objects_are_not_followed() {
    let repo = Repo::with_topic();
    repo.git(&["replace", repo.id("topic").as_str(), repo.id("main").as_str()]);
    let (_, diff) = read(&repo.open().await.unwrap(), &range("main..topic")).await.unwrap();
    assert!(diff.contains("c.txt"), "{diff}");
}
