//! What the daemon takes from itself: every thread but the one that opens the interfaces, which ends before the first
//! packet.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::config::{Config, Layers, Protection};
use crate::control::alert::channel::{Address, ChannelKind, HttpSettings};
use crate::control::alert::secret::SecretRef;
use crate::kernel::confine::{self, ConfineError, Places};
use crate::kernel::{pins, seccomp};
use crate::sealed;
use crate::telemetry::elasticsearch::Credentials;

/// What every program reads: libraries that are loaded late, names, time zones, certificates, processors.
const SYSTEM: [&str; 22] = [
    "/usr",
    "/lib",
    "/lib64",
    "/proc",
    "/sys/devices/system/cpu",
    "/dev/null",
    "/dev/urandom",
    "/etc/ssl",
    "/etc/ca-certificates",
    "/etc/pki",
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/localtime",
    "/etc/ld.so.cache",
    "/etc/machine-id",
    "/run/systemd/resolve",
];

/// What could not be had, for the log, which begins later.
pub(super) struct Confined(Vec<ConfineError>);

impl Confined {
    pub(super) fn log(self) {
        for error in self.0 {
            tracing::warn!(%error, "the capture is less confined than it could be");
        }
    }
}

/// Confines the calling thread and all that it starts from now on.
pub(super) fn confine(config: &Config, layers: &Layers) -> Result<Confined, ConfineError> {
    let mut missing = Vec::new();
    let places = places(config, layers);
    let security = config.security;
    // Profilers write temporary files: they go where the daemon may write. A second override would be refused, and is
    // not needed.
    let _ = tempfile::env::override_temp_dir(&folder_of(&config.control_socket));
    // Landlock first: without CAP_SYS_ADMIN it needs `no_new_privs`, which it sets by itself.
    let files = || confine::restrict_files(&places).map(|_| ());
    attempt(security.landlock, &mut missing, files)?;
    let keep = confine::steady_capabilities(has_foreign_files(&places));
    let capabilities = || confine::drop_capabilities(&keep);
    attempt(security.drop_capabilities, &mut missing, capabilities)?;
    // Last: whatever comes after it can only do what a running capture does.
    attempt(security.seccomp, &mut missing, || Ok(seccomp::refuse_calls()?))?;
    Ok(Confined(missing))
}

fn attempt(
    protection: Protection,
    missing: &mut Vec<ConfineError>,
    action: impl FnOnce() -> Result<(), ConfineError>,
) -> Result<(), ConfineError> {
    if protection == Protection::Off {
        return Ok(());
    }
    match action() {
        Err(error) if protection == Protection::Auto => missing.push(error),
        result => result?,
    }
    Ok(())
}

/// Whether root would need CAP_DAC_OVERRIDE for its own files.
fn has_foreign_files(places: &Places) -> bool {
    let is_foreign = |path: &PathBuf| fs::metadata(path).is_ok_and(|it| it.uid() != 0);
    rustix::process::geteuid().is_root() && places.write.iter().any(is_foreign)
}

/// The files of this configuration. Folders that will be written to are made, as only what exists can be granted.
fn places(config: &Config, layers: &Layers) -> Places {
    let mut read: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    read.extend(std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from));
    // Reloading reads them anew.
    read.extend(layers.folders());
    read.extend(secrets(config).iter().map(|path| folder_of(path)));
    // Where a wider folder would be granted than anybody means to, files alone are.
    let is_narrow = |path: &PathBuf| !["/", "/etc"].iter().any(|wide| path == Path::new(wide));
    read.retain(is_narrow);
    read.extend(layers.files().unwrap_or_default());
    read.extend(sealed::identity_file());
    read.extend(secrets(config));

    let mut write = vec![
        config.output.directory.clone(),
        folder_of(&config.database),
        folder_of(&config.control_socket),
        folder_of(&config.exemplars.directory),
        config.logging.directory.clone(),
    ];
    write.extend(config.alerts.directory.clone());
    write.extend(config.elasticsearch.iter().map(|it| it.spool_directory.clone()));
    for channel in &config.alerts.channels {
        if let ChannelKind::LogFile(log) = &channel.kind {
            write.push(folder_of(&log.path));
        }
    }
    if config.capture.pin && pins::mount_bpf_file_system().is_ok() {
        write.push(Path::new(pins::BPF_FILE_SYSTEM).join("trim"));
    }
    for folder in &write {
        // What cannot be made is reported by whoever needs it.
        let _ = fs::DirBuilder::new().recursive(true).mode(0o750).create(folder);
    }
    Places { read, write }
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Files with secrets and certificates, which are read anew whenever they are needed.
fn secrets(config: &Config) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut add = |secret: Option<&SecretRef>| {
        if let Some(SecretRef::File(path)) = secret {
            files.push(path.clone());
        }
    };
    let mut certificates = Vec::new();
    for channel in &config.alerts.channels {
        match &channel.kind {
            ChannelKind::Email(mail) => {
                add(mail.password.as_ref());
                certificates.extend(mail.ca_file.clone());
            }
            ChannelKind::Slack(server) | ChannelKind::Webhook(server) | ChannelKind::Alertmanager { server, .. } => {
                add(server.token.as_ref());
                add(secret_address(server));
                certificates.extend(server.ca_file.clone());
            }
            ChannelKind::LogFile(_) => {}
        }
    }
    if let Some(web) = &config.web {
        add(web.token.as_ref());
        certificates.extend(
            web.tls
                .iter()
                .flat_map(|tls| [tls.certificate.clone(), tls.key.clone()]),
        );
    }
    if let Some(elasticsearch) = &config.elasticsearch {
        add(elasticsearch.credentials.as_ref().map(Credentials::secret));
        certificates.extend(elasticsearch.ca_file.clone());
    }
    files.extend(certificates);
    files
}

fn secret_address(server: &HttpSettings) -> Option<&SecretRef> {
    match &server.url {
        Address::Secret(secret) => Some(secret),
        Address::Open(_) => None,
    }
}
