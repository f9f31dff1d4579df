//! The disk: room and speed of the output directory.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use super::text::bytes;
use crate::config::Output;
use crate::ops::finding::{About, Report};

/// Most that is written to measure.
const MOST: u64 = 64 << 20;
/// Longest that is written.
const LONGEST: Duration = Duration::from_secs(1);
const BLOCK: usize = 1 << 20;
/// Of the free space at most one part in so many is written.
const PART_OF_FREE: u64 = 10;
/// Slower than this is warned of, bytes per second: what is left of some 10 Gbit/s of downloads.
const SLOW: u64 = 60_000_000;
/// A disk with less room than this is as good as full, bytes.
const LITTLE: u64 = 256 << 20;

pub(super) fn examine(output: &Output, report: &mut Report) {
    let mut about = report.about("disk");
    let Some(place) = existing(&output.directory) else {
        return about.fail(
            "directory",
            format!("{} is nowhere", output.directory.display()),
            "captures are written there",
            format!("mkdir -p {}", output.directory.display()),
        );
    };
    if place == output.directory {
        about.ok("directory", place.display().to_string());
    } else {
        about.note(
            "directory",
            format!("{} is not there yet", output.directory.display()),
            format!("`trim run` makes it; {} is looked at instead", place.display()),
        );
    }
    let room = rustix::fs::statvfs(&place).map(|it| (it.f_bavail * it.f_frsize, it.f_blocks * it.f_frsize));
    let free = match room {
        Ok((free, total)) => {
            judge_room(free, total, output.quota, &mut about);
            free
        }
        Err(error) => return about.fail("room", error.to_string(), "how much fits is unknown", "see the message"),
    };
    match measure(&place, free) {
        Ok(Some(speed)) => judge_speed(speed, &mut about),
        Ok(None) => about.note("speed", "not measured", "there is no room to measure it"),
        Err(error) => about.fail(
            "speed",
            format!("cannot write to {}: {error}", place.display()),
            "captures are written there",
            remedy(&error, &place),
        ),
    }
}

pub(super) fn remedy(error: &io::Error, place: &Path) -> String {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => format!("mount -o remount,rw {}", place.display()),
        io::ErrorKind::PermissionDenied => format!("run as a user who may write to {}", place.display()),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => format!("make room in {}", place.display()),
        _ => "name another directory as `output.directory`".to_owned(),
    }
}

/// The directory itself, or the nearest above it that is there.
pub(super) fn existing(directory: &Path) -> Option<PathBuf> {
    let named = directory.ancestors().map(|path| {
        if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        }
    });
    named.into_iter().find(|path| path.is_dir()).map(Path::to_owned)
}

fn judge_room(free: u64, total: u64, quota: Option<u64>, about: &mut About<'_>) {
    let found = format!("{} of {} free", bytes(free), bytes(total));
    match quota {
        _ if free < LITTLE => about.fail(
            "room",
            found,
            "a capture stops writing when the disk is full, and counts what it could not write",
            "delete old captures, or name another `output.directory`",
        ),
        Some(quota) if quota > free => about.warn(
            "room",
            format!("{found}; the quota is {}", bytes(quota)),
            "the disk is full before the quota deletes the oldest files, unless they are there already",
            "lower `output.quota`, or make room",
        ),
        Some(quota) => about.ok("room", format!("{found}; the quota is {}", bytes(quota))),
        None => about.advise(
            "room",
            format!("{found}; no quota"),
            "a capture goes on until the disk is full",
            "set `output.quota`",
        ),
    }
}

fn judge_speed(speed: u64, about: &mut About<'_>) {
    let found = format!("{}/s written and synchronised", bytes(speed));
    if speed >= SLOW {
        return about.ok("speed", found);
    }
    about.warn(
        "speed",
        found,
        format!(
            "less than {}/s: at high rates packets wait for the disk and are lost as `queue_full`",
            bytes(SLOW)
        ),
        "write to a faster disk, or set `output.compression: zstd`",
    );
}

/// Bytes per second of a sequential write that is forced to the disk; `None` without room for it. The file has no name
/// where the file system can do that, and is removed at once where it cannot.
fn measure(place: &Path, free: u64) -> io::Result<Option<u64>> {
    let limit = MOST.min(free / PART_OF_FREE);
    if limit < BLOCK as u64 {
        // It still has to be writable.
        return nameless(place).map(|_| None);
    }
    let mut file = nameless(place)?;
    // Not zeros: some file systems do not store them.
    let block: Vec<u8> = (0..BLOCK as u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let begun = Instant::now();
    let mut written = 0;
    while written + BLOCK as u64 <= limit && begun.elapsed() < LONGEST {
        file.write_all(&block)?;
        written += BLOCK as u64;
    }
    file.sync_data()?;
    Ok(Some((written as f64 / begun.elapsed().as_secs_f64().max(1e-6)) as u64))
}

fn nameless(place: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    match rustix::fs::open(place, flags, Mode::RUSR | Mode::WUSR) {
        Ok(fd) => Ok(fd.into()),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR) => {
            let path = place.join(format!(".trim-doctor-{}", std::process::id()));
            let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
            std::fs::remove_file(&path)?;
            Ok(file)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::finding::Grade;

    fn grade(judge: impl Fn(&mut About<'_>)) -> Grade {
        let mut report = Report::default();
        judge(&mut report.about("disk"));
        report.findings[0].grade
    }

    #[test]
    fn a_slow_and_a_full_disk_are_told() {
        assert_eq!(grade(|about| judge_speed(400_000_000, about)), Grade::Ok);
        assert_eq!(grade(|about| judge_speed(5_000_000, about)), Grade::Warning);
        assert_eq!(
            grade(|about| judge_room(1 << 40, 1 << 41, Some(1 << 30), about)),
            Grade::Ok
        );
        assert_eq!(grade(|about| judge_room(1 << 40, 1 << 41, None, about)), Grade::Note);
        assert_eq!(
            grade(|about| judge_room(1 << 30, 1 << 41, Some(1 << 31), about)),
            Grade::Warning
        );
        assert_eq!(grade(|about| judge_room(1 << 20, 1 << 41, None, about)), Grade::Failure);
    }

    #[test]
    fn measuring_leaves_no_file_behind() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            measure(folder.path(), 100 << 20)
                .unwrap()
                .is_some_and(|speed| speed > 0)
        );
        assert_eq!(measure(folder.path(), 1 << 20).unwrap(), None);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_nearest_folder_that_is_there_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(existing(&folder.path().join("a/b")).as_deref(), Some(folder.path()));
        assert_eq!(
            existing(Path::new("surely-not-here/b")).as_deref(),
            Some(Path::new("."))
        );
    }
}
