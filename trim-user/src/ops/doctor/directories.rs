//! The directories that a capture writes to: access is asked for, nothing is written.

use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::disk::{existing, remedy};
use crate::config::{Config, LogTo};
use crate::ops::finding::{About, Report};

pub(super) fn examine(config: &Config, report: &mut Report) {
    let mut about = report.about("directories");
    let parent = |path: &Path| path.parent().map(Path::to_owned);
    let named = [
        ("output.directory", Some(config.output.directory.clone())),
        ("control.socket", parent(&config.control_socket)),
        ("control.database", parent(&config.database)),
        ("alerts.directory", config.alerts.directory.clone()),
        (
            "elasticsearch.spool_directory",
            config.elasticsearch.as_ref().map(|it| it.spool_directory.clone()),
        ),
        (
            "logging.directory",
            (config.logging.to == LogTo::File).then(|| config.logging.directory.clone()),
        ),
    ];
    for (key, directory) in named {
        if let Some(directory) = directory {
            judge(key, &directory, &mut about);
        }
    }
}

/// Whether one can be written to, or made where it is not there.
fn judge(key: &str, directory: &Path, about: &mut About<'_>) {
    const WHY: &str = "the capture does not start without it";
    // What is in the way, if it is no directory.
    if let Some(file) = directory
        .ancestors()
        .find(|path| path.exists())
        .filter(|path| !path.is_dir())
    {
        return about.fail(
            key,
            format!("{} is no directory", file.display()),
            WHY,
            format!("name another one as `{key}`, or move that file away"),
        );
    }
    let Some(place) = existing(directory) else {
        return about.fail(
            key,
            format!("{} is nowhere", directory.display()),
            WHY,
            format!("mkdir -p {}", directory.display()),
        );
    };
    match accessat(CWD, &place, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS) {
        Ok(()) if place == directory => about.ok(key, format!("{} can be written to", directory.display())),
        Ok(()) => about.ok(
            key,
            format!("{} is not there yet, and can be made", directory.display()),
        ),
        Err(error) => {
            let error = std::io::Error::from(error);
            about.fail(
                key,
                format!("cannot write to {}: {error}", place.display()),
                WHY,
                remedy(&error, &place),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::finding::Grade;

    fn grade(directory: &Path) -> Grade {
        let mut report = Report::default();
        judge("output.directory", directory, &mut report.about("directories"));
        report.findings[0].grade
    }

    #[test]
    fn directories_are_judged_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(grade(folder.path()), Grade::Ok);
        assert_eq!(grade(&folder.path().join("a/b")), Grade::Ok);
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(grade(&file), Grade::Failure);
        assert_eq!(grade(&file.join("below")), Grade::Failure);
        // Nobody, not even root, can make a file there.
        assert_eq!(grade(Path::new("/proc/self/below")), Grade::Failure);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
