//! `trim backup`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Exit, output, recipients};
use crate::config::Config;
use crate::control::alert::host_name;
use crate::ops::backup::{self, Created, Listed, Manifest, Restored, Sources, Verified, Wanted};
use crate::sealed::Lock;

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a backup, also while a daemon runs
    Create(CreateArgs),
    /// List the backups of a folder
    List(ListArgs),
    /// Check every hash of a backup, and that its database is sound
    Verify(ArchiveArgs),
    /// Put a backup back; refused while a daemon runs on these files
    Restore(RestoreArgs),
}

#[derive(Debug, Args)]
struct FolderArgs {
    /// The folder of backups
    #[arg(long, value_name = "DIR", default_value = "/var/backups/trim")]
    directory: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct CreateArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "/etc/trim/trim.yaml")]
    config: PathBuf,
    /// Put the files of secrets into it, too
    #[arg(long)]
    include_secrets: bool,
    /// Encrypt it for this recipient: `age1...`, as `age-keygen -y` prints of an identity; may be given more than once.
    /// `--identity` of the other commands opens it
    #[arg(long, value_name = "age1...")]
    encrypt_to: Vec<String>,
    /// A file with recipients, one a line, for whom it is encrypted
    #[arg(long, value_name = "FILE")]
    recipients_file: Vec<PathBuf>,
    /// Afterwards remove the oldest backups of the folder, but for this many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    folder: FolderArgs,
}

#[derive(Debug, Args)]
struct ArchiveArgs {
    /// The archive
    #[arg(value_name = "ARCHIVE")]
    archive: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RestoreArgs {
    #[command(flatten)]
    archive: ArchiveArgs,
    /// Put the files below this folder instead of where they were
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

pub(super) fn run(args: &BackupArgs) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Create(args) => create(args),
        Command::List(args) => list(args),
        Command::Verify(args) => verify(args),
        Command::Restore(args) => restore(args),
    }
}

/// What was made, for programs.
#[derive(Serialize)]
struct Made<'a> {
    path: &'a Path,
    removed: &'a [PathBuf],
    manifest: &'a Manifest,
}

fn create(args: &CreateArgs) -> anyhow::Result<Exit> {
    let config = Config::load(&args.config)?;
    let sources = Sources::of(&config, &args.config)?;
    let folder = &args.folder.directory;
    let recipients = recipients::gathered(&args.encrypt_to, &args.recipients_file)?;
    let lock = (!recipients.is_empty()).then_some(Lock::Recipients(recipients));
    let wanted = Wanted {
        folder,
        with_secrets: args.include_secrets,
        lock: lock.as_ref(),
        host: &host_name(),
    };
    let Created { path, manifest } = backup::create(&sources, &wanted)?;
    let removed = match args.keep {
        Some(keep) => backup::retain(folder, keep as usize)?,
        None => Vec::new(),
    };
    if manifest.has_secrets && lock.is_none() {
        eprintln!("trim: this backup CONTAINS SECRETS: only its owner may read it; keep it as you keep them");
    }
    if args.folder.json {
        output::json(&Made {
            path: &path,
            removed: &removed,
            manifest: &manifest,
        })?;
        return Ok(Exit::Good);
    }
    let mut text = format!("{}\n{}", path.display(), contents(&manifest));
    // Writing to a `String` cannot fail.
    for file in &removed {
        let _ = writeln!(text, "removed       {}", file.display());
    }
    output::text(&text)?;
    Ok(Exit::Good)
}

fn contents(manifest: &Manifest) -> String {
    let mut text = String::new();
    for item in &manifest.items {
        let kind = format!("{:?}", item.kind).to_lowercase();
        let _ = writeln!(
            text,
            "{kind:<13} {} ({})",
            item.origin.display(),
            output::bytes(item.bytes)
        );
    }
    if manifest.schema.is_none() {
        let _ = writeln!(text, "database      none yet");
    }
    for secret in &manifest.left_out {
        let _ = writeln!(
            text,
            "left out      {} (a secret: `--include-secrets`)",
            secret.display()
        );
    }
    text
}

fn list(args: &ListArgs) -> anyhow::Result<Exit> {
    let found = backup::list(&args.folder.directory)?;
    if args.folder.json {
        output::json(&found)?;
    } else {
        output::text(&table(&found))?;
    }
    Ok(Exit::Good)
}

fn table(found: &[Listed]) -> String {
    if found.is_empty() {
        return "no backups\n".to_owned();
    }
    let mut text = String::new();
    for listed in found {
        let told = match (&listed.manifest, &listed.error) {
            (Some(manifest), _) => format!(
                "{}  trim {}  {}  schema {}{}",
                manifest.created,
                manifest.version,
                manifest.host,
                manifest.schema.map_or("-".to_owned(), |schema| schema.to_string()),
                if manifest.has_secrets { "  WITH SECRETS" } else { "" }
            ),
            (None, error) => format!("unreadable: {}", error.as_deref().unwrap_or_default()),
        };
        let _ = writeln!(
            text,
            "{}  {:>10}  {told}",
            listed.path.display(),
            output::bytes(listed.bytes)
        );
    }
    text
}

fn verify(args: &ArchiveArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Answer<'a> {
        sound: bool,
        error: Option<String>,
        manifest: Option<&'a Manifest>,
    }
    let verified = match backup::verify(&args.archive) {
        Err(error) if !error.is_unsound() => return Err(error.into()),
        verified => verified,
    };
    if args.json {
        output::json(&Answer {
            sound: verified.is_ok(),
            error: verified.as_ref().err().map(ToString::to_string),
            manifest: verified.as_ref().ok().map(|verified| &verified.manifest),
        })?;
    }
    match verified {
        Ok(Verified { manifest, schema }) if !args.json => {
            let schema = schema.map_or("no database".to_owned(), |schema| {
                format!("database of schema {schema} is sound")
            });
            let text = format!(
                "sound: {} files as they were, {schema}\n{}",
                manifest.items.len(),
                contents(&manifest)
            );
            output::text(&text)?;
            Ok(Exit::Good)
        }
        Ok(_) => Ok(Exit::Good),
        Err(error) => {
            eprintln!("trim: {error}");
            Ok(Exit::No)
        }
    }
}

fn restore(args: &RestoreArgs) -> anyhow::Result<Exit> {
    let restored = backup::restore(&args.archive.archive, args.root.as_deref())?;
    if args.archive.json {
        output::json(&restored)?;
    } else {
        output::text(&placed(&restored))?;
    }
    Ok(Exit::Good)
}

fn placed(restored: &Restored) -> String {
    let mut text = String::new();
    for file in &restored.files {
        let _ = writeln!(text, "restored      {}", file.path.display());
        if let Some(before) = &file.before {
            let _ = writeln!(text, "  before      {}", before.display());
        }
    }
    if let Some(schema) = restored
        .schema
        .filter(|schema| *schema != crate::control::store::VERSION)
    {
        let _ = writeln!(
            text,
            "migrated      the database, from schema {schema} to {}",
            crate::control::store::VERSION
        );
    }
    text
}
