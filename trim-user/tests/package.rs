//! The Debian package, installed, used, removed and purged on a copy of this machine's file system that nobody sees.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests fail the test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use xtask::lab::{Folder, require_root, skip};
use xtask::package;

/// Runs in a mount namespace of its own, so that whatever happens here ends with it: `/` below, memory above.
const ROOT: &str = r#"
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/system
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/system
mount --rbind /proc /mnt/system/proc
mount --rbind /dev /mnt/system/dev
mount -t tmpfs -o mode=755 tmpfs /mnt/system/run
mount -t tmpfs tmpfs /mnt/system/tmp
mount -t tmpfs tmpfs /mnt/system/sys
mkdir -p /mnt/system/sys/fs/bpf
mount -t bpf -o mode=700 bpf /mnt/system/sys/fs/bpf
cp "$DEB" /mnt/system/tmp/trim.deb
printf '%s' "$INSIDE" > /mnt/system/tmp/inside
exec chroot /mnt/system sh -eu /tmp/inside
"#;

/// What an administrator does, with the answers that the test compares.
const INSIDE: &str = r#"
state() { dpkg-query --show --showformat '${db:Status-Abbrev}\n' trim 2>/dev/null || echo unknown; }
modes() { for path in "$@"; do stat --format '%A %U:%G %n' "$path" 2>/dev/null || echo "none $path"; done; }

# Indexing all manual pages takes most of the time of an installation, and is not ours.
rm -f /var/lib/man-db/auto-update

echo '== install'
dpkg --install /tmp/trim.deb >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
state
modes /usr/bin/trim /etc/trim /etc/trim/trim.yaml /var/lib/trim /var/log/trim /var/backups/trim /run/trim /sys/fs/bpf \
    /sys/fs/bpf/trim /usr/lib/systemd/system/trim*
dpkg --verify trim
version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
if [ "$version" -lt 253 ]; then expected=yes; else expected=no; fi
if [ -f /etc/systemd/system/trim.service.d/before-253.conf ]; then found=yes; else found=no; fi
[ $expected = $found ] && echo 'the unit fits this systemd'

echo '== use'
trim --version
man -P cat trim | sed -n '/^NAME/{n;p}'
man -P cat trim-run | sed -n '/^NAME/{n;p}'
for file in bash-completion/completions/trim zsh/vendor-completions/_trim fish/vendor_completions.d/trim.fish; do
    grep -q rollback /usr/share/$file && echo "$file completes"
done
bash -n /usr/share/bash-completion/completions/trim
trim run --config /etc/trim/trim.yaml 2>&1 || echo "status $?"
cd /usr/lib/systemd/system
systemd-analyze verify ./trim.service ./trim-backup.timer ./trim-report@weekly.service ./trim-report-weekly.timer 2>&1 | sed '/Failed to parse service type, ignoring: notify-reload/d'

# What the units start, as the user they start it as. There is no database yet.
start() { sed -n "s/%i/weekly/g; s/^ExecStart=//p" $1 >/tmp/start; setpriv --reuid trim --regid trim --clear-groups sh -eu /tmp/start; }
start trim-backup.service | sed -n 's/^database */database: /p'
modes /var/backups/trim/* | sed 's/backup-.*\.tar/backup-TIME.tar/'
trim backup verify /var/backups/trim/* >/dev/null && echo 'the backup is good'
if start trim-report@.service 2>/tmp/errors; then echo 'a report on nothing'; else grep -o '/var/lib/trim/trim.db' /tmp/errors | head -n 1; fi

echo '== remove'
echo '# mine' >> /etc/trim/trim.yaml
touch /var/lib/trim/note /var/lib/trim/trim.db
dpkg --remove trim >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
state
modes /usr/bin/trim /var/lib/trim/trim.db
tail -n 1 /etc/trim/trim.yaml

echo '== install again'
dpkg --install /tmp/trim.deb >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
tail -n 1 /etc/trim/trim.yaml

echo '== purge'
dpkg --purge trim 2>/tmp/errors | sed -n '/^trim:/p'
sed '/auto-update/d' /tmp/errors
state
find /etc /usr /var /sys/fs/bpf -xdev -newer /tmp/trim.deb -path '*trim*' \
    -not -path '/var/lib/dpkg/*' -not -path '/var/cache/*' -not -path '/usr/share/doc*' |
    sed 's/backup-.*\.tar/backup-TIME.tar/' | LC_ALL=C sort
"#;

#[test]
fn the_package_installs_works_and_goes_without_a_trace() {
    let test = "the_package_installs_works_and_goes_without_a_trace";
    if !require_root(test) {
        return;
    }
    if !Path::new("/var/lib/dpkg/status").exists() {
        return skip(test, "this system's packages are not Debian's");
    }
    let folder = Folder::new("package").unwrap();
    // Once here, as packing a test build twice would spend most of its time on debug information.
    let binary = folder.path().join("trim");
    let mut strip = Command::new("strip");
    strip
        .arg("--strip-debug")
        .arg(env!("CARGO_BIN_EXE_trim"))
        .arg("-o")
        .arg(&binary);
    assert!(strip.status().unwrap().success());
    let first = package::make(&binary, folder.path(), TIME).unwrap();
    let second = package::make(&binary, &folder.path().join("again"), TIME).unwrap();
    let deb = first.deb.unwrap();
    assert!(fs::read(&deb).unwrap() == fs::read(second.deb.unwrap()).unwrap());
    assert!(fs::read(first.tarball).unwrap() == fs::read(second.tarball).unwrap());

    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-euc", ROOT])
        .env("DEB", &deb)
        .env("INSIDE", INSIDE)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let expected = EXPECTED.trim_start().replace("VERSION", env!("CARGO_PKG_VERSION"));
    assert_eq!(stdout, expected, "{stderr}");
}

/// 2026-01-01.
const TIME: u64 = 1_767_225_600;

const EXPECTED: &str = r"
== install
ii 
-rwxr-xr-x root:root /usr/bin/trim
drwxr-x--- root:trim /etc/trim
-rw-r----- root:trim /etc/trim/trim.yaml
drwxr-x--- trim:trim /var/lib/trim
drwxr-x--- trim:trim /var/log/trim
drwx------ trim:trim /var/backups/trim
drwxr-x--- trim:trim /run/trim
drwx--x--x root:root /sys/fs/bpf
drwx------ trim:trim /sys/fs/bpf/trim
-rw-r--r-- root:root /usr/lib/systemd/system/trim-backup.service
-rw-r--r-- root:root /usr/lib/systemd/system/trim-backup.timer
-rw-r--r-- root:root /usr/lib/systemd/system/trim-report-weekly.timer
-rw-r--r-- root:root /usr/lib/systemd/system/trim-report@.service
-rw-r--r-- root:root /usr/lib/systemd/system/trim.service
the unit fits this systemd
== use
trim VERSION
       trim  -  HTTP-aware capture appliance: keeps every header byte, removes
       trim-run - Capture live traffic until a signal, `trim stop`, or a limit
bash-completion/completions/trim completes
zsh/vendor-completions/_trim completes
fish/vendor_completions.d/trim.fish completes
trim: capture.interfaces: none is named: list them in /etc/trim/trim.yaml, or give `--interface` (`trim interfaces` shows what there is)
status 2
database: none yet
-rw------- trim:trim /var/backups/trim/trim-backup-TIME.tar.zst
the backup is good
/var/lib/trim/trim.db
== remove
rc 
none /usr/bin/trim
-rw-r--r-- root:root /var/lib/trim/trim.db
# mine
== install again
# mine
== purge
trim: /var/lib/trim is left as it holds files that the package did not bring
trim: /var/backups/trim is left as it holds files that the package did not bring
unknown
/var/backups/trim
/var/backups/trim/trim-backup-TIME.tar.zst
/var/lib/trim
/var/lib/trim/note
";
