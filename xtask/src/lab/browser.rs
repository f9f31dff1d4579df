//! A headless Chromium, driven over the DevTools protocol (chromedevtools.github.io/devtools-protocol).
//!
//! The protocol goes over two pipes that the browser has as descriptors 3 and 4, one JSON object ended by a zero byte after
//! the other; so no port is opened and no WebSocket is needed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Folder;

/// How long the browser may take for one thing on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes its standard input and output descriptors 3 and 4 of the browser.
const PIPES: &str = r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null"#;

/// No sandbox, because tests run as root; and nothing that would reach for other hosts.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
];

/// How a page is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Width of the window, CSS pixels.
    pub width: u32,
    /// Height of the window, CSS pixels.
    pub height: u32,
    /// Whether it asks for dark colours.
    pub is_dark: bool,
    /// Whether scripts run.
    pub has_scripts: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 900,
            is_dark: false,
            has_scripts: true,
        }
    }
}

/// A browser with one page; it ends when this is dropped.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    sent: u64,
    session: String,
    errors: Vec<String>,
    is_loaded: bool,
    _profile: Folder,
}

impl Browser {
    /// Starts it through `shell`, a command that runs `sh`, in a network namespace for one.
    ///
    /// # Errors
    /// When Chromium is missing or does not answer.
    pub fn start(mut shell: Command) -> Result<Self> {
        let profile = Folder::new("chromium")?;
        shell
            .args(["-c", PIPES, "sh", "chromium"])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .env("HOME", profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = shell.spawn().context("cannot start chromium")?;
        let output = child.stdout.take().context("chromium has no output")?;
        let mut browser = Self {
            input: child.stdin.take(),
            child,
            messages: listen(output),
            sent: 0,
            session: String::new(),
            errors: Vec::new(),
            is_loaded: false,
            _profile: profile,
        };
        browser.open_page().context("chromium does not answer")?;
        Ok(browser)
    }

    fn open_page(&mut self) -> Result<()> {
        let page = self.call("Target.createTarget", json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": page["targetId"], "flatten": true});
        let attached = self.call("Target.attachToTarget", attach)?;
        self.session = attached["sessionId"].as_str().unwrap_or_default().to_owned();
        for domain in ["Page", "Runtime", "Log"] {
            self.call(&format!("{domain}.enable"), json!({}))?;
        }
        Ok(())
    }

    /// How pages are looked at from now on.
    ///
    /// # Errors
    /// When the browser does not answer; likewise below.
    pub fn look(&mut self, look: Look) -> Result<()> {
        let metrics = json!({"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", metrics)?;
        let scheme = if look.is_dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", media)?;
        let scripts = json!({"value": !look.has_scripts});
        self.call("Emulation.setScriptExecutionDisabled", scripts)?;
        Ok(())
    }

    /// Goes to a page and waits until it is loaded.
    ///
    /// # Errors
    /// When it cannot be reached, and as above.
    pub fn go(&mut self, url: &str) -> Result<()> {
        self.is_loaded = false;
        let answer = self.call("Page.navigate", json!({"url": url}))?;
        if let Some(error) = answer["errorText"].as_str() {
            bail!("cannot go to {url}: {error}");
        }
        self.wait_loaded()
    }

    /// Clicks on the element with this id, which leads to another page, and waits until that is loaded.
    ///
    /// # Errors
    /// When there is no such element, and as above.
    pub fn follow(&mut self, id: &str) -> Result<()> {
        self.is_loaded = false;
        let script = format!("document.getElementById({id:?}).click(), true");
        self.evaluate(&script)
            .with_context(|| format!("cannot click on {id}"))?;
        self.wait_loaded()
    }

    /// The value of an expression in the page.
    ///
    /// # Errors
    /// When it throws, and as above.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", parameters)?;
        if let Some(thrown) = answer.get("exceptionDetails") {
            bail!("`{expression}` throws: {thrown}");
        }
        Ok(answer["result"]["value"].clone())
    }

    /// The whole page as a PNG.
    ///
    /// # Errors
    /// As above.
    pub fn screenshot(&mut self) -> Result<Vec<u8>> {
        let metrics = self.call("Page.getLayoutMetrics", json!({}))?;
        let size = &metrics["cssContentSize"];
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let parameters = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let answer = self.call("Page.captureScreenshot", parameters)?;
        decode(answer["data"].as_str().unwrap_or_default()).context("the screenshot is damaged")
    }

    /// The errors that pages have written to the console since this was last asked.
    pub fn errors(&mut self) -> Vec<String> {
        while let Ok(message) = self.messages.try_recv() {
            self.notice(&message);
        }
        std::mem::take(&mut self.errors)
    }

    fn wait_loaded(&mut self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while !self.is_loaded {
            let message = self.next(end).context("waiting for a page to load")?;
            self.notice(&message);
        }
        Ok(())
    }

    fn call(&mut self, method: &str, parameters: Value) -> Result<Value> {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let mut bytes = serde_json::to_vec(&message)?;
        bytes.push(0);
        self.input
            .as_mut()
            .context("the browser has ended")?
            .write_all(&bytes)?;
        let end = Instant::now() + PATIENCE;
        loop {
            let message = self.next(end).with_context(|| method.to_owned())?;
            if message["id"] != self.sent {
                self.notice(&message);
            } else if let Some(error) = message.get("error") {
                bail!("{method}: {error}");
            } else {
                return Ok(message["result"].clone());
            }
        }
    }

    fn next(&self, end: Instant) -> Result<Value> {
        match self
            .messages
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            Ok(message) => Ok(message),
            Err(RecvTimeoutError::Timeout) => bail!("no answer within {} s", PATIENCE.as_secs()),
            Err(RecvTimeoutError::Disconnected) => bail!("the browser has ended"),
        }
    }

    fn notice(&mut self, message: &Value) {
        let parameters = &message["params"];
        match message["method"].as_str().unwrap_or_default() {
            "Page.loadEventFired" => self.is_loaded = true,
            "Runtime.exceptionThrown" => self.errors.push(parameters["exceptionDetails"].to_string()),
            "Runtime.consoleAPICalled" if parameters["type"] == "error" => {
                self.errors.push(parameters["args"].to_string())
            }
            "Log.entryAdded" if parameters["entry"]["level"] == "error" => {
                self.errors.push(parameters["entry"].to_string());
            }
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends with its pipe, and takes its helpers along; when it does not, it is killed.
        drop(self.input.take());
        let child = &mut self.child;
        if !super::wait_until(Duration::from_secs(5), || child.try_wait().ok().flatten().is_some()) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What the browser says, as it comes.
fn listen(output: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut bytes = Vec::new();
        while output.read_until(0, &mut bytes).is_ok_and(|count| count > 0) {
            bytes.pop();
            if let Ok(message) = serde_json::from_slice(&bytes)
                && sender.send(message).is_err()
            {
                break;
            }
            bytes.clear();
        }
    });
    receiver
}

/// Base64 (RFC 4648) as the browser writes it.
fn decode(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> = text
        .trim_end_matches('=')
        .bytes()
        .map(|byte| ALPHABET.iter().position(|&it| it == byte).map(|at| at as u32))
        .collect::<Option<_>>()?;
    let decode = |group: &[u32]| {
        let bits = group.iter().fold(0, |bits, digit| (bits << 6) | digit) << (6 * (4 - group.len()));
        bits.to_be_bytes()[1..group.len()].to_vec()
    };
    Some(digits.chunks(4).flat_map(decode).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(decode("Z!=="), None);
    }
}
