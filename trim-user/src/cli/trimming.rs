//! The flags that say what trimming shall do, the same for every command that trims.

use clap::{Args, ValueEnum};

use crate::trimmer::{Action, NonHttp, Policy, Ports, Retention, Settings};

#[derive(Debug, Args)]
pub(super) struct TrimmingArgs {
    /// Removed bytes: `cut` stores less of a packet, `mask` zeroes them, keeps lengths and mends checksums
    #[arg(long, value_enum, default_value_t = ActionArg::Cut)]
    action: ActionArg,
    /// Keep the first N bytes of each message body
    #[arg(long, value_name = "N", default_value_t = 0)]
    body_keep: u32,
    /// Chunk-size lines and the line ends behind chunk data
    #[arg(long, value_enum, default_value_t = KeepArg::Keep)]
    framing: KeepArg,
    /// Bytes behind CONNECT and Upgrade
    #[arg(long, value_enum, default_value_t = KeepArg::Keep)]
    opaque: KeepArg,
    /// Packets that are not HTTP
    #[arg(long, value_enum, default_value_t = NonHttpArg::Keep)]
    non_http: NonHttpArg,
    /// Overwrite the values of this header field; may be given more than once
    #[arg(long, value_name = "FIELD")]
    redact: Vec<String>,
    /// TCP ports on which HTTP is looked for, such as 80,8080, or `any`
    #[arg(long, value_name = "PORTS", default_value = "any", value_parser = parse_ports)]
    ports: Ports,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ActionArg {
    Cut,
    Mask,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KeepArg {
    Keep,
    Cut,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum NonHttpArg {
    /// Stored whole
    Keep,
    /// Stored up to the transport header
    Headers,
    /// Left out
    Drop,
}

impl TrimmingArgs {
    /// What is done with bytes of each kind.
    pub(super) fn policy(&self) -> Policy {
        let retention = |keep| match keep {
            KeepArg::Keep => Retention::Keep,
            KeepArg::Cut => Retention::Cut,
        };
        Policy {
            action: match self.action {
                ActionArg::Cut => Action::Cut,
                ActionArg::Mask => Action::Mask,
            },
            framing: retention(self.framing),
            opaque: retention(self.opaque),
            non_http: match self.non_http {
                NonHttpArg::Keep => NonHttp::Keep,
                NonHttpArg::Headers => NonHttp::Headers,
                NonHttpArg::Drop => NonHttp::Drop,
            },
        }
    }

    /// What trimmers need to know.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            ports: self.ports.clone(),
            body_keep_bytes: self.body_keep,
            redact_headers: self
                .redact
                .iter()
                .map(|name| name.to_ascii_lowercase().into())
                .collect(),
            ..Settings::default()
        }
    }
}

fn parse_ports(text: &str) -> Result<Ports, String> {
    if text == "any" {
        return Ok(Ports::Any);
    }
    let port = |word: &str| word.trim().parse::<u16>().ok().filter(|&port| port != 0);
    let mut ports = text
        .split(',')
        .map(|word| port(word).ok_or_else(|| format!("`{word}` is no port: a number from 1 to 65535, or `any`")))
        .collect::<Result<Vec<u16>, String>>()?;
    ports.sort_unstable();
    ports.dedup();
    Ok(Ports::Only(ports))
}
