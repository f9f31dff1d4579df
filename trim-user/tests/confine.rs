//! Landlock on a thread: what is not granted cannot be opened, and no program started.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests fail the test")]

use std::fs;
use std::io::ErrorKind;
use std::process::Command;

use trim_user::kernel::confine::{Places, restrict_files};
use xtask::lab::{Folder, skip};

#[test]
fn a_confined_thread_uses_its_places_and_nothing_else() {
    let folder = Folder::new("confine").unwrap();
    let (inside, outside) = (folder.path().join("inside"), folder.path().join("outside"));
    for path in [&inside, &outside] {
        fs::create_dir(path).unwrap();
        fs::write(path.join("file"), "text").unwrap();
    }
    let places = Places {
        read: vec!["/usr".into(), "/lib".into(), folder.path().join("missing")],
        write: vec![inside.clone()],
    };
    // Landlock binds the thread, which ends here, and not the test.
    let done = std::thread::spawn(move || {
        if let Err(error) = restrict_files(&places) {
            return Err(error.to_string());
        }
        let refused = |result: std::io::Result<()>| result.map_err(|error| error.kind());
        fs::write(inside.join("new"), "text").unwrap();
        fs::rename(inside.join("new"), inside.join("newer")).unwrap();
        fs::remove_file(inside.join("newer")).unwrap();
        assert_eq!(fs::read_to_string(inside.join("file")).unwrap(), "text");
        let denied = Err(ErrorKind::PermissionDenied);
        assert_eq!(refused(fs::read("/etc/shadow").map(drop)), denied);
        assert_eq!(refused(fs::read(outside.join("file")).map(drop)), denied);
        assert_eq!(refused(fs::write(outside.join("new"), "text")), denied);
        assert_eq!(refused(fs::remove_file(outside.join("file"))), denied);
        assert_eq!(refused(Command::new("/usr/bin/true").status().map(drop)), denied);
        Ok(())
    });
    if let Err(error) = done.join().unwrap() {
        skip("a_confined_thread_uses_its_places_and_nothing_else", &error);
    }
}
