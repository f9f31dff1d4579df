//! The tree as a Debian package.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{VERSION, tree};
use crate::command::{find, output, run};
use crate::workspace;

/// Scripts that dpkg runs.
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

/// Adds what Debian wants to the tree at `root` and packs it into `directory`.
pub(super) fn pack(root: &Path, directory: &Path, time: u64) -> Result<PathBuf> {
    let architecture = output(Command::new("dpkg").arg("--print-architecture"))?;
    changelog(root, time)?;
    let control = root.join("DEBIAN");
    let sums = sums(root)?;
    tree::write(&control.join("control"), fields(root, architecture.trim())?.as_bytes())?;
    tree::write(&control.join("md5sums"), sums.as_bytes())?;
    tree::write(&control.join("conffiles"), b"/etc/trim/trim.yaml\n")?;
    for script in SCRIPTS {
        let target = control.join(script);
        let source = workspace::root().join("config/debian").join(script);
        let bytes = fs::read(&source).with_context(|| format!("cannot read {}", source.display()))?;
        tree::write(&target, &bytes)?;
        fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
    }
    let deb = directory.join(format!("trim_{VERSION}_{}.deb", architecture.trim()));
    let mut command = Command::new("dpkg-deb");
    command
        .args(["--build", "--root-owner-group", "-Zgzip"])
        .arg(root)
        .arg(&deb);
    // It takes later times of files back to this one; its own words about the package belong to nobody's results.
    command.env("SOURCE_DATE_EPOCH", time.to_string());
    output(&mut command)?;
    Ok(deb)
}

fn fields(root: &Path, architecture: &str) -> Result<String> {
    let mut bytes = 0;
    for file in tree::files(root)? {
        bytes += fs::metadata(root.join(file))?.len();
    }
    let libraries = libraries(&root.join("usr/bin/trim"))?;
    Ok(format!(
        "Package: trim\nVersion: {VERSION}\nArchitecture: {architecture}\nSection: net\nPriority: optional\n\
         Maintainer: The trim developers <trim@users.noreply.github.com>\n\
         Homepage: https://github.com/trim-capture/trim\nInstalled-Size: {size}\n\
         Depends: {libraries}, systemd\nSuggests: tshark\n\
         Description: HTTP-aware capture appliance\n \
         It takes live traffic by XDP and AF_XDP, or capture files, keeps every packet, every header below HTTP and\n \
         every HTTP header block byte for byte, and removes HTTP message bodies. What is left opens in Wireshark.\n",
        size = bytes.div_ceil(1024),
    ))
}

/// The packages of the shared libraries that the program uses, with the versions that it needs.
fn libraries(program: &Path) -> Result<String> {
    if find("dpkg-shlibdeps").is_none() {
        // What every build of it uses; the versions are known to dpkg-shlibdeps (package dpkg-dev) alone.
        return Ok("libc6, libgcc-s1".to_owned());
    }
    // It insists on the control file of a source package.
    let source = tempfile::tempdir()?;
    tree::write(
        &source.path().join("debian/control"),
        b"Source: trim\n\nPackage: trim\nArchitecture: any\n",
    )?;
    let mut command = Command::new("dpkg-shlibdeps");
    command.arg("-O").arg(program).current_dir(source.path());
    let line = output(&mut command)?;
    let libraries = line.trim().strip_prefix("shlibs:Depends=");
    Ok(libraries
        .with_context(|| format!("dpkg-shlibdeps said `{}`", line.trim()))?
        .to_owned())
}

fn changelog(root: &Path, time: u64) -> Result<()> {
    let date = output(Command::new("date").args(["--utc", "--rfc-email", "--date", &format!("@{time}")]))?;
    let text = format!(
        "trim ({VERSION}) unstable; urgency=medium\n\n  * This release; the repository's history says what is new.\n\n \
         -- The trim developers <trim@users.noreply.github.com>  {date}"
    );
    let file = root.join("usr/share/doc/trim/changelog");
    tree::write(&file, text.as_bytes())?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
    run(Command::new("gzip").args(["--best", "--no-name"]).arg(&file))
}

/// The checksum of each file, for `dpkg --verify`.
fn sums(root: &Path) -> Result<String> {
    let files = tree::files(root)?;
    let is_configuration = |file: &&PathBuf| file.starts_with("etc");
    let files: Vec<_> = files.iter().filter(|file| !is_configuration(file)).collect();
    output(Command::new("md5sum").args(files).current_dir(root))
}
