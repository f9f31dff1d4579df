//! What a capture that was killed left in force.

use crate::kernel::pins;
use crate::ops::finding::Report;

pub(super) fn examine(report: &mut Report) {
    let mut about = report.about("kernel");
    let directories = match pins::directories() {
        Ok(directories) => directories,
        Err(error) => return about.note("pins", format!("cannot be listed: {error}"), "only root sees them"),
    };
    let mut living = 0;
    for directory in &directories {
        match pins::is_held(directory) {
            Ok(true) => living += 1,
            Ok(false) => about.warn(
                "pins",
                format!("{} belongs to a capture that was killed", directory.display()),
                "its XDP program is still attached and follows `on_user_space_loss`",
                format!(
                    "start the capture again, which takes it over, or `rm -r {}` to take the program off",
                    directory.display()
                ),
            ),
            Err(error) => about.note(
                "pins",
                format!("{}: {error}", directory.display()),
                "whether its capture lives is unknown",
            ),
        }
    }
    if directories.len() == living {
        about.ok("pins", format!("{living} of running captures, none of dead ones"));
    }
}
