//! Nothing that a repository contains or configures is ever run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use autopr_core::ids::CommitSha;
use autopr_core::ports::Forge;
use autopr_local_git::RangeSpec;

use crate::repo::{Repo, git, range, read};

#[tokio::test]
async fn nothing_the_repository_names_is_run() {
    let repo = Repo::with_topic();
    let canaries = repo.beside("canaries");
    fs::create_dir(&canaries).unwrap();
    let touch = |name: &str| format!("touch {canaries}/{name}; cat #");
    let script = |name: &str| {
        let path = repo.beside(&format!("{name}.sh"));
        fs::write(&path, format!("#!/bin/sh\ntouch {canaries}/{name}\ncat\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    };

    repo.commit(
        "attributes",
        &[
            (".gitattributes", "* diff=evil filter=evil merge=evil\n"),
            (
                ".gitmodules",
                "[submodule \"sub\"]\n\tpath = sub\n\turl = ext::sh -c touch% /tmp/x\n\tupdate = !touch x\n",
            ),
        ],
    );
    let settings = [
        ("core.fsmonitor", script("fsmonitor")),
        ("core.hooksPath", "evil-hooks".to_owned()),
        ("core.pager", touch("pager")),
        ("pager.diff-tree", touch("pager-diff-tree")),
        ("pager.rev-parse", touch("pager-rev-parse")),
        ("core.editor", touch("editor")),
        ("core.askPass", script("askpass")),
        ("core.sshCommand", touch("ssh")),
        ("core.gitProxy", script("proxy")),
        ("core.alternateRefsCommand", touch("alternate-refs")),
        ("credential.helper", format!("!{}", touch("credential"))),
        ("gpg.program", script("gpg")),
        ("gpg.ssh.program", script("gpg-ssh")),
        ("log.showSignature", "true".to_owned()),
        ("diff.external", script("diff-external")),
        ("diff.evil.command", touch("diff-command")),
        ("diff.evil.textconv", touch("textconv")),
        ("diff.evil.cachetextconv", "true".to_owned()),
        ("filter.evil.clean", touch("clean")),
        ("filter.evil.smudge", touch("smudge")),
        ("filter.evil.process", touch("process")),
        ("filter.evil.required", "true".to_owned()),
        ("merge.evil.driver", touch("merge")),
        ("interactive.diffFilter", touch("diff-filter")),
        ("sequence.editor", touch("sequence")),
        ("uploadpack.packObjectsHook", script("pack-objects")),
        ("submodule.sub.update", format!("!{}", touch("submodule"))),
        ("submodule.recurse", "true".to_owned()),
        ("diff.submodule", "diff".to_owned()),
        ("trace2.eventTarget", format!("{canaries}/trace2")),
        ("protocol.ext.allow", "always".to_owned()),
        ("extensions.partialClone", "evil".to_owned()),
        ("remote.evil.url", format!("ext::sh -c \"touch% {canaries}/promisor\"")),
        ("remote.evil.promisor", "true".to_owned()),
        ("remote.evil.partialCloneFilter", "blob:none".to_owned()),
        ("remote.evil.uploadpack", touch("uploadpack")),
    ];
    for command in ["diff-tree", "diff-index", "rev-parse", "rev-list", "cat-file", "ls-files", "for-each-ref"] {
        repo.git(&["config", &format!("alias.{command}"), &format!("!{}", touch(&format!("alias-{command}")))]);
    }
    for hooks in [".git/hooks", "evil-hooks"] {
        fs::create_dir_all(repo.path.join(hooks)).unwrap();
        for hook in [
            "post-index-change",
            "pre-commit",
            "reference-transaction",
            "post-checkout",
            "fsmonitor-watchman",
            "pre-auto-gc",
        ] {
            let path = repo.path.join(hooks).join(hook);
            fs::write(&path, format!("#!/bin/sh\ntouch {canaries}/hook-{hook}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    repo.write("a.txt", "a\nstaged\n");
    repo.git(&["-c", "core.hooksPath=/dev/null", "add", "a.txt"]);
    // A commit whose blob is absent: in a partial clone git would fetch it from the remote that is a command.
    let gone = repo.git(&["rev-parse", "HEAD:b.txt"]);
    for (name, value) in &settings {
        repo.git(&["-c", "core.hooksPath=/dev/null", "config", name, value]);
    }
    assert_eq!(entries(&canaries), [] as [&str; 0], "the stage is set without touching a canary");

    let local = repo.open().await.unwrap();
    for spec in [RangeSpec::Default, range("main..topic"), RangeSpec::Staged] {
        let (pull, diff) = read(&local, &spec).await.unwrap();
        assert!(!diff.is_empty());
        for path in [".gitmodules", "a.txt", ".autopr.yml"] {
            local.file(&pull.target, &pull.base, path).await.unwrap();
            local.file(&pull.target, &pull.head, path).await.unwrap();
        }
    }
    let object = repo.path.join(".git/objects").join(&gone[..2]).join(&gone[2..]);
    fs::remove_file(object).unwrap();
    let local = repo.open().await.unwrap();
    let fault = read(&local, &range("main..topic")).await.unwrap_err();
    assert!(fault.to_string().contains("a partial clone may lack objects"), "{fault}");
    let fault = local.file(&local.target().unwrap(), &repo_head(&repo), "b.txt").await.unwrap_err();
    assert!(fault.to_string().contains(&gone), "{fault}");
    assert!(local.resolve(&range("nope..topic")).await.is_err());

    assert_eq!(entries(&canaries), [] as [&str; 0]);

    // The stage would have worked: plain git does run what the repository names.
    let plain = std::process::Command::new("git")
        .args(["-C", &repo.path.display().to_string(), "diff", "main...topic", "--", "c.txt"])
        .output()
        .unwrap();
    drop(plain);
    assert_ne!(entries(&canaries), [] as [&str; 0]);
}

fn repo_head(repo: &Repo) -> CommitSha {
    CommitSha::new(fs::read_to_string(repo.path.join(".git/refs/heads/topic")).unwrap().trim()).unwrap()
}

fn entries(folder: impl AsRef<Path>) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn a_repository_in_a_folder_with_an_odd_name_is_read() {
    let repo = Repo::with_topic();
    let odd = repo.beside("--upload-pack=x\u{1b}[2J");
    git(repo.folder.path(), &["clone", "-q", "app", &odd]);
    let (pull, _) = read(&repo.open_at(odd.as_ref()).await.unwrap(), &RangeSpec::Default).await.unwrap();
    assert_eq!(pull.target.repository.as_str(), "local/--upload-pack=x-[2J");
}
