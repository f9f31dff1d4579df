//! curl as the web client.

use std::fs;

use anyhow::{Context, Result, bail, ensure};

use super::cleanup::unique;
use super::{Folder, Link, Namespace, Site};
use crate::command::output;

/// One kind of conversation with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// Every small page, over one connection.
    KeepAlive,
    /// One small page, over a connection of its own.
    Page(usize),
    /// The large file; `megabytes_per_second` limits the rate, 0 does not.
    Download {
        /// Limit of the rate, MB/s.
        megabytes_per_second: u32,
    },
    /// A chunked response.
    Chunked,
    /// A chunked, compressed response.
    Compressed,
    /// An HTTP/1.0 response without a length: it ends with the connection.
    UntilClose,
    /// A request with a body of this many bytes.
    Post(usize),
    /// A request with a chunked body of this many bytes, which waits for `100 Continue`.
    PostChunked(usize),
    /// A HEAD, then a GET on the same connection: only the second response has a body.
    Head,
    /// Responses that never have a body (204 and 304), then one that has, on one connection.
    Bodiless,
    /// Part of a file (206).
    Range,
    /// A redirection that is followed.
    Redirect,
}

impl Exchange {
    /// One of each, without the large download.
    pub const SMALL: [Self; 11] = [
        Self::KeepAlive,
        Self::Page(3),
        Self::Chunked,
        Self::Compressed,
        Self::UntilClose,
        Self::Post(700),
        Self::PostChunked(20_000),
        Self::Head,
        Self::Bodiless,
        Self::Range,
        Self::Redirect,
    ];
}

/// A web client in a namespace, with one server.
#[derive(Debug)]
pub struct Client<'a> {
    namespace: &'a Namespace,
    base: String,
    upload: Folder,
}

impl<'a> Client<'a> {
    /// A client that reaches the server over `link` on `port`.
    ///
    /// # Errors
    /// When its temporary folder cannot be made.
    pub fn new(namespace: &'a Namespace, link: Link, port: u16) -> Result<Self> {
        let base = format!("http://{}:{port}", link.server());
        Ok(Self {
            namespace,
            base,
            upload: Folder::new("client")?,
        })
    }

    /// Carries out one exchange and checks the answers.
    ///
    /// # Errors
    /// When curl fails or a status is not the expected one.
    pub fn run(&self, exchange: Exchange) -> Result<()> {
        let requests = self.requests(exchange)?;
        let mut curl = self.namespace.command("curl");
        // Without `-q` the user's own settings would apply.
        curl.arg("-q");
        for (number, request) in requests.iter().enumerate() {
            if number > 0 {
                curl.arg("--next");
            }
            curl.args(["-sS", "-g", "--noproxy", "*", "--max-time", "120", "--http1.1"])
                .args(&request.options);
            curl.args(["-o", "/dev/null", "-w", "status=%{http_code}\n"])
                .arg(format!("{}{}", self.base, request.path));
        }
        let text = output(&mut curl)?;
        let answered = text.lines().filter_map(|line| line.strip_prefix("status="));
        let expected = requests.iter().map(|request| request.status);
        ensure!(expected.eq(answered), "{exchange:?} was answered with {text:?}");
        Ok(())
    }

    /// Carries out the exchanges one after the other.
    ///
    /// # Errors
    /// As [`Client::run`].
    pub fn run_all(&self, exchanges: &[Exchange]) -> Result<()> {
        exchanges.iter().try_for_each(|exchange| self.run(*exchange))
    }

    /// Carries out the exchanges as `clients` parallel clients.
    ///
    /// # Errors
    /// The first error of a client; all of them have ended then.
    pub fn run_parallel(&self, clients: usize, exchanges: &[Exchange]) -> Result<()> {
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..clients).map(|_| scope.spawn(|| self.run_all(exchanges))).collect();
            let results: Vec<_> = clients.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            results.into_iter().try_for_each(|result| match result {
                Ok(result) => result,
                Err(_) => bail!("a client panicked"),
            })
        })
    }

    /// The requests of an exchange, all on one connection.
    fn requests(&self, exchange: Exchange) -> Result<Vec<Request>> {
        let page = |number: usize| format!("/pages/{}.txt", number % Site::PAGES);
        let future = "If-Modified-Since: Fri, 31 Dec 2100 00:00:00 GMT";
        Ok(match exchange {
            Exchange::KeepAlive => (0..Site::PAGES)
                .map(|number| Request::new(&page(number), "200", &[]))
                .collect(),
            Exchange::Page(number) => vec![Request::new(&page(number), "200", &[])],
            Exchange::Download { megabytes_per_second } => {
                let limit = format!("{megabytes_per_second}M");
                vec![Request::new("/download.bin", "200", &["--limit-rate", &limit])]
            }
            Exchange::Chunked => vec![Request::new("/chunked.shtml", "200", &[])],
            Exchange::Compressed => vec![Request::new("/large.txt", "200", &["--compressed"])],
            Exchange::UntilClose => vec![Request::new("/chunked.shtml", "200", &["--http1.0"])],
            Exchange::Post(length) => {
                vec![Request::new("/post", "200", &["--data-binary", &self.body(length)?])]
            }
            Exchange::PostChunked(length) => {
                let headers = ["-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"];
                vec![Request::new(
                    "/post",
                    "200",
                    &[&headers[..], &["--data-binary", &self.body(length)?]].concat(),
                )]
            }
            Exchange::Head => vec![
                Request::new(&page(9), "200", &["--head"]),
                Request::new(&page(9), "200", &[]),
            ],
            Exchange::Bodiless => vec![
                Request::new("/empty", "204", &[]),
                Request::new(&page(9), "304", &["-H", future]),
                Request::new(&page(9), "200", &[]),
            ],
            Exchange::Range => vec![Request::new("/large.txt", "206", &["--range", "1000-2999"])],
            Exchange::Redirect => vec![Request::new("/moved", "200", &["--location"])],
        })
    }

    /// The argument that sends `length` bytes from a file.
    fn body(&self, length: usize) -> Result<String> {
        let path = self.upload.path().join(format!("body-{length}"));
        if !path.exists() {
            // Renamed into place, as parallel clients may come here together.
            let own = self.upload.path().join(format!("body-{length}-{}", unique()));
            let text: String = "body byte ".chars().cycle().take(length).collect();
            fs::write(&own, text).with_context(|| format!("cannot write {}", own.display()))?;
            fs::rename(&own, &path).with_context(|| format!("cannot create {}", path.display()))?;
        }
        Ok(format!("@{}", path.display()))
    }
}

/// One request of a curl command line.
struct Request {
    path: String,
    status: &'static str,
    options: Vec<String>,
}

impl Request {
    fn new(path: &str, status: &'static str, options: &[&str]) -> Self {
        Self {
            path: path.to_owned(),
            status,
            options: options.iter().map(|&option| option.to_owned()).collect(),
        }
    }
}
