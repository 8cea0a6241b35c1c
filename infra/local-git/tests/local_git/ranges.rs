use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use autopr_core::ids::CommitSha;
use autopr_local_git::{LocalGit, RangeSpec};

use crate::repo::{Repo, git, paths, range, read};

#[tokio::test]
async fn a_topic_branch_is_reviewed_from_where_it_left_main() {
    let repo = Repo::with_topic();
    let local = repo.open().await.unwrap();
    for spec in [RangeSpec::Default, range("main..topic"), range("main...topic"), range("main")] {
        let (pull, diff) = read(&local, &spec).await.unwrap();
        assert_eq!(pull.base, repo.id("topic~2"));
        assert_eq!(pull.head, repo.id("topic"));
        assert_eq!(paths(&diff), ["b.txt", "c.txt"]);
    }
    let chosen = local.resolve(&RangeSpec::Default).await.unwrap();
    let merge_base = repo.id("topic~2");
    assert_eq!(chosen.description, format!("main..HEAD (2 commits, merge base {})", merge_base.short()));
}

#[tokio::test]
async fn title_and_body_are_those_of_the_head_commit() {
    let repo = Repo::with_topic();
    let local = repo.open().await.unwrap();
    let (pull, _) = read(&local, &range("main..topic~1")).await.unwrap();
    assert_eq!((pull.title.as_str(), pull.body.as_str()), ("three", "Why three.\n\nMore."));
    assert_eq!(pull.author, "Ann Author");
    assert_eq!(pull.target.repository.as_str(), "local/app");
}

#[tokio::test]
async fn on_the_default_branch_it_is_what_was_not_pushed_and_else_the_last_commit() {
    let origin = Repo::with_topic();
    origin.git(&["checkout", "-q", "main"]);
    let clone = origin.beside("clone");
    origin.git(&["clone", "-q", ".", &clone]);
    let open = || origin.open_at(clone.as_ref());

    let chosen = open().await.unwrap().resolve(&RangeSpec::Default).await.unwrap();
    assert_eq!(chosen.description, format!("HEAD~1..HEAD (the last commit, {})", origin.id("main").short()));
    assert_eq!(chosen.base, origin.id("main~1"));

    git(clone.as_ref(), &["commit", "-q", "--allow-empty", "-m", "five"]);
    let chosen = open().await.unwrap().resolve(&RangeSpec::Default).await.unwrap();
    assert_eq!(chosen.description, format!("origin/HEAD..HEAD (1 commit, merge base {})", origin.id("main").short()));
}

#[tokio::test]
async fn the_first_commit_is_compared_with_nothing() {
    for format in ["sha1", "sha256"] {
        let repo = Repo::with_format(format);
        let id = repo.commit("first", &[("a.txt", "a\n"), ("dir/b.txt", "b\n")]);
        let local = repo.open().await.unwrap();
        let (pull, diff) = read(&local, &RangeSpec::Default).await.unwrap();
        assert_eq!(pull.head, id);
        assert_eq!(paths(&diff), ["a.txt", "dir/b.txt"]);
    }
}

#[tokio::test]
async fn staged_changes_are_reviewed_without_a_commit() {
    let repo = Repo::with_topic();
    repo.write("a.txt", "a\nstaged\n");
    repo.git(&["add", "a.txt"]);
    repo.write("a.txt", "a\nnot staged\n");
    let local = repo.open().await.unwrap();
    let (pull, diff) = read(&local, &RangeSpec::Staged).await.unwrap();
    assert_eq!((&pull.base, &pull.head), (&repo.id("HEAD"), &CommitSha::zero()));
    assert!(diff.contains("+staged") && !diff.contains("not staged"), "{diff}");
}

#[tokio::test]
async fn staged_changes_of_a_repository_without_commits() {
    for format in ["sha1", "sha256"] {
        let repo = Repo::with_format(format);
        repo.write("new.txt", "new\n");
        repo.git(&["add", "-A"]);
        let local = repo.open().await.unwrap();
        let chosen = local.resolve(&RangeSpec::Staged).await.unwrap();
        assert_eq!(chosen.description, "staged changes against nothing: there is no commit yet");
        let (_, diff) = read(&local, &RangeSpec::Staged).await.unwrap();
        assert_eq!(paths(&diff), ["new.txt"]);
    }
}

#[tokio::test]
async fn a_split_and_a_sparse_index_are_read() {
    let repo = Repo::with_topic();
    repo.commit("more", &[("in/x.txt", "x\n"), ("out/y.txt", "y\n")]);
    repo.git(&["update-index", "--split-index"]);
    repo.write("in/x.txt", "split\n");
    repo.git(&["add", "-A"]);
    let (_, diff) = read(&repo.open().await.unwrap(), &RangeSpec::Staged).await.unwrap();
    assert_eq!(paths(&diff), ["in/x.txt"]);

    repo.git(&["update-index", "--no-split-index"]);
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    repo.write("in/x.txt", "sparse\n");
    repo.git(&["add", "-A"]);
    let (_, diff) = read(&repo.open().await.unwrap(), &RangeSpec::Staged).await.unwrap();
    assert_eq!(paths(&diff), ["in/x.txt"]);
}

/// This test starts itself again as the hook of a commit; what the hook reads is what that commit will hold.
#[tokio::test]
async fn in_a_hook_the_index_of_the_commit_under_way_is_read() {
    const NAME: &str = "ranges::in_a_hook_the_index_of_the_commit_under_way_is_read";
    if let Some(outbox) = std::env::var_os("AUTOPR_TEST_OUTBOX") {
        let local = LocalGit::open(".".as_ref(), outbox.as_ref()).await.unwrap();
        let (_, diff) = read(&local, &RangeSpec::Staged).await.unwrap();
        fs::write(Path::new(&outbox).join("seen"), paths(&diff).join(" ")).unwrap();
        return;
    }
    let repo = Repo::with_topic();
    let (outbox, hook) = (repo.beside("outbox"), repo.path.join(".git/hooks/pre-commit"));
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let program = std::env::current_exe().unwrap();
    let script = format!("#!/bin/sh\nAUTOPR_TEST_OUTBOX='{outbox}' exec '{}' --exact {NAME}\n", program.display());
    fs::write(&hook, script).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    repo.write("a.txt", "a\nchanged, not staged\n");
    repo.git(&["commit", "-q", "--all", "-m", "what --all adds is in an index of its own"]);
    assert_eq!(fs::read_to_string(Path::new(&outbox).join("seen")).unwrap(), "a.txt");
}

#[tokio::test]
async fn conflicts_in_the_index_are_named() {
    let repo = Repo::with_topic();
    repo.commit("conflicting", &[("a.txt", "a\ntopic only\n")]);
    let merged = std::process::Command::new("git")
        .args(["-c", "user.name=x", "-c", "user.email=x@example.org", "merge", "-q", "main"])
        .current_dir(&repo.path)
        .output()
        .unwrap();
    assert!(!merged.status.success());
    let fault = read(&repo.open().await.unwrap(), &RangeSpec::Staged).await.unwrap_err();
    insta::assert_snapshot!(fault, @"`a.txt` has unresolved conflicts in the index: resolve and `git add` it");
}

#[tokio::test]
async fn it_works_from_a_folder_a_worktree_and_a_bare_repository() {
    let repo = Repo::with_topic();
    repo.write("deep/er/x", "");
    let (worktree, bare) = (repo.beside("tree"), repo.beside("bare.git"));
    repo.git(&["worktree", "add", "-q", "--detach", &worktree, "topic"]);
    repo.git(&["clone", "-q", "--bare", ".", &bare]);
    for place in [repo.path.join("deep/er").display().to_string(), worktree.clone(), bare] {
        let local = repo.open_at(place.as_ref()).await.unwrap();
        let (_, diff) = read(&local, &range("main..topic")).await.unwrap();
        assert_eq!(paths(&diff), ["b.txt", "c.txt"], "{place}");
    }
    fs::write(format!("{worktree}/w.txt"), "w\n").unwrap();
    git(worktree.as_ref(), &["add", "-A"]);
    let (_, diff) = read(&repo.open_at(worktree.as_ref()).await.unwrap(), &RangeSpec::Staged).await.unwrap();
    assert_eq!(paths(&diff), ["w.txt"], "the index is that of the worktree");
}

#[tokio::test]
async fn a_shallow_clone_says_what_to_fetch() {
    let repo = Repo::with_topic();
    let clone = repo.beside("shallow");
    let url = format!("file://{}", repo.path.display());
    repo.git(&["clone", "-q", "--depth=1", "--no-single-branch", &url, &clone]);
    let local = repo.open_at(clone.as_ref()).await.unwrap();
    let texts = [
        local.resolve(&range("origin/main..HEAD")).await.unwrap_err().to_string(),
        local.resolve(&range("HEAD~1..HEAD")).await.unwrap_err().to_string(),
        local.resolve(&RangeSpec::Default).await.unwrap_err().to_string().replace(repo.id("topic").short(), "ID"),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r"
    in this shallow clone `origin/main` and `HEAD` have no common ancestor: fetch more history, for example with `git fetch --unshallow`
    this shallow clone does not know the revision `HEAD~1`: fetch more history, for example with `git fetch --unshallow`, or correct the range
    this shallow clone lacks the commit before ID: fetch more history, for example with `git fetch --deepen=10`
    ");

    git(clone.as_ref(), &["fetch", "-q", "--unshallow"]);
    let local = repo.open_at(clone.as_ref()).await.unwrap();
    assert_eq!(local.resolve(&range("origin/main..HEAD")).await.unwrap().base, repo.id("topic~2"));
}

#[tokio::test]
async fn a_wrong_range_names_the_wrong_end() {
    let repo = Repo::with_topic();
    repo.git(&["checkout", "-q", "--orphan", "other"]);
    repo.commit("unrelated", &[]);
    let local = repo.open().await.unwrap();
    let app = repo.path.display().to_string();
    let mut texts = Vec::new();
    for text in ["nope..topic", "main..nope", "HEAD~9", "main:a.txt..topic", "other..main", "..", "@{-5}..HEAD"] {
        texts.push(match local.resolve(&range(text)).await {
            Ok(range) => format!("{text}: {}", range.description),
            Err(fault) => fault.to_string(),
        });
    }
    let texts = texts.join("\n").replace(&app, "/app").replace(repo.id("other").short(), "ID");
    insta::assert_snapshot!(texts, @r"
    `/app` has no revision `nope`: fetch it or correct the range
    `/app` has no revision `nope`: fetch it or correct the range
    `/app` has no revision `HEAD~9`: fetch it or correct the range
    `/app` has no revision `main:a.txt`: fetch it or correct the range
    `other` and `main` have no common ancestor: choose a range within one history
    ..: HEAD..HEAD (0 commits, merge base ID)
    `/app` has no revision `@{-5}`: fetch it or correct the range
    ");
}

#[tokio::test]
async fn an_abbreviation_of_two_commits_is_refused() {
    let repo = Repo::new();
    let history: String = (0..1000)
        .map(|second| format!("commit refs/heads/main\ncommitter C <c@example.org> {second} +0000\ndata 0\n"))
        .collect();
    repo.write(".git/history", history);
    let import = std::fs::File::open(repo.path.join(".git/history")).unwrap();
    let imported = std::process::Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(&repo.path)
        .stdin(import)
        .status()
        .unwrap();
    assert!(imported.success());
    let ids = repo.git(&["rev-list", "main"]);
    let mut starts: Vec<&str> = ids.lines().map(|id| &id[..4]).collect();
    starts.sort_unstable();
    let twice = starts.windows(2).find(|pair| pair[0] == pair[1]).unwrap()[0];
    let fault = repo.resolve(&range(twice)).await.unwrap_err().to_string();
    assert_eq!(fault, format!("`{twice}` is ambiguous: several objects begin with it; give more digits"));
}

#[tokio::test]
async fn a_repository_without_commits_has_no_range() {
    let repo = Repo::new();
    let fault = repo.resolve(&RangeSpec::Default).await.unwrap_err();
    insta::assert_snapshot!(fault, @"the repository has no commit yet: commit first, or review what is staged with --staged");
}

#[tokio::test]
async fn a_folder_that_is_no_repository_is_refused() {
    let repo = Repo::new();
    let plain = repo.beside("plain");
    fs::create_dir(&plain).unwrap();
    let mut texts = Vec::new();
    for place in [plain, repo.beside("absent")] {
        let fault = repo.open_at(place.as_ref()).await.unwrap_err();
        texts.push(fault.to_string().replace(&repo.folder.path().display().to_string(), "/tmp"));
    }
    insta::assert_snapshot!(texts.join("\n"), @r"
    `/tmp/plain` is not in a git repository: name one with --repo
    `/tmp/absent` is not a folder: name a git repository with --repo
    ");
}
