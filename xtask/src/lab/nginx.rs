//! nginx with its own configuration, in a namespace.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Folder, Namespace, Process, wait_until};
use crate::command::{find, output};

const START: Duration = Duration::from_secs(15);

/// What the server offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// Size of `/download.bin`, bytes.
    pub download_bytes: u64,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            download_bytes: 50 << 20,
        }
    }
}

impl Site {
    /// How many small pages there are: `/pages/0.txt` to `/pages/19.txt`.
    pub const PAGES: usize = 20;

    /// Size of a small page, bytes: 100 to about 9000, so that some take several segments.
    pub const fn page_bytes(number: usize) -> usize {
        100 + number * 467
    }

    fn write(self, html: &Path) -> Result<()> {
        fs::create_dir_all(html.join("pages"))?;
        for number in 0..Self::PAGES {
            let text = filler(Self::page_bytes(number));
            fs::write(html.join(format!("pages/{number}.txt")), text)?;
        }
        // Server-side includes have no length in advance, so nginx sends them chunked.
        let page = filler(30_000);
        fs::write(
            html.join("chunked.shtml"),
            format!("<!--#echo var=\"request_uri\" -->{page}<!--#echo var=\"msec\" -->"),
        )?;
        fs::write(html.join("large.txt"), filler(200_000))?;
        write_noise(&html.join("download.bin"), self.download_bytes)
    }
}

/// Readable text of a length, with lines that look like HTTP headers: a body is not to be taken for a header.
fn filler(length: usize) -> String {
    let text = "The quick brown fox jumps over the lazy dog.\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
    text.chars().cycle().take(length).collect()
}

/// Bytes without a pattern, from a fixed seed: xorshift64.
fn write_noise(path: &Path, length: u64) -> Result<()> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..length.div_ceil(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.write_all(&state.to_le_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    out.flush().with_context(|| format!("cannot write {}", path.display()))
}

/// A running nginx; stopped on drop.
#[derive(Debug)]
pub struct Nginx {
    // Declared before the folder it works in, so that it is gone when the folder goes.
    _process: Process,
    _folder: Folder,
}

impl Nginx {
    /// Ports it listens on, at all addresses of its namespace.
    pub const PORTS: [u16; 2] = [80, 8080];

    /// Starts nginx in `namespace` and waits until it answers.
    ///
    /// # Errors
    /// When its files cannot be written, it does not start, or it does not answer.
    pub fn start(namespace: &Namespace, site: Site) -> Result<Self> {
        let folder = Folder::new("nginx")?;
        let prefix = folder.path();
        site.write(&prefix.join("html"))?;
        fs::write(prefix.join("nginx.conf"), configuration())?;
        let program = find("nginx").context("nginx is not installed")?;
        let mut command = namespace.command(program);
        command
            .arg("-p")
            .arg(prefix)
            .arg("-e")
            .arg(prefix.join("error.log"))
            .arg("-c")
            .arg(prefix.join("nginx.conf"));
        let mut process = Process::start(command)?;
        let probe = || {
            let mut curl: Command = namespace.command("curl");
            curl.args([
                "-sS",
                "--noproxy",
                "*",
                "-o",
                "/dev/null",
                "http://127.0.0.1:80/pages/0.txt",
            ]);
            output(&mut curl)
        };
        if !wait_until(START, || process.ended().is_some() || probe().is_ok()) || process.ended().is_some() {
            bail!(
                "nginx does not answer: {}{}",
                process.stderr(),
                fs::read_to_string(prefix.join("error.log"))?
            );
        }
        Ok(Self {
            _process: process,
            _folder: folder,
        })
    }
}

/// One process, in the foreground, with all its files under its prefix. Connections live long enough for keep-alive.
fn configuration() -> String {
    let listen: String = Nginx::PORTS
        .iter()
        .map(|port| format!("        listen {port};\n        listen [::]:{port} ipv6only=on;\n"))
        .collect();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("    {kind}_temp_path {kind};\n"))
        .collect();
    format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nevents {{ worker_connections 512; }}\nhttp {{\n{temporary}{}{}{}\
         {listen}{}    }}\n}}\n",
        "    access_log off;\n    sendfile on;\n    keepalive_timeout 60;\n    keepalive_requests 10000;\n",
        "    client_max_body_size 100m;\n    if_modified_since before;\n",
        "    default_type text/plain;\n    server {\n        root html;\n",
        "        location = /chunked.shtml { ssi on; ssi_types *; }\n\
         \x20       location = /large.txt { gzip on; gzip_types *; gzip_min_length 1; }\n\
         \x20       location = /post { return 200 \"accepted $content_length bytes\\n\"; }\n\
         \x20       location = /empty { return 204; }\n\
         \x20       location = /moved { return 302 /pages/0.txt; }\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_wanted_length_and_no_pattern() {
        let folder = Folder::new("noise").unwrap();
        let path = folder.path().join("noise");
        write_noise(&path, 4096).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 4096);
        let distinct: std::collections::BTreeSet<_> = bytes.chunks(8).collect();
        assert_eq!(distinct.len(), 512);
    }
}
