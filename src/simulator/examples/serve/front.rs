//! A simulated account behind a real socket, so that clients which we did not write can ask it.
//!
//! For judges only: HTTP/1.1 on the loopback address, a thread for each connection, no TLS, bounded heads and bodies.
//! Nothing lags and nothing is throttled; the time of the world is the real one times a factor. `POST /__pass?SECONDS`
//! lets time pass at once, `GET /__stats` says that the front stands.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clusterctl_simulator::aws;
use clusterctl_simulator::weather::Weather;
use clusterctl_simulator::world::{Ms, World};

const HEAD_LINE: u64 = 16 * 1024;
const HEADERS: usize = 100;
const BODY: u64 = 16 * 1024 * 1024;
/// A connection on which nothing comes for so long is closed.
const PATIENCE: Duration = Duration::from_secs(120);

/// An account and its clock.
#[derive(Debug)]
struct Account {
    world: Mutex<World>,
    begun: Instant,
    factor: f64,
    /// Let pass beyond what the clock says.
    passed: Mutex<Ms>,
}

impl Account {
    fn now(&self) -> Ms {
        let passed = *self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed + (self.begun.elapsed().as_secs_f64() * self.factor * 1000.0) as Ms
    }

    fn pass(&self, seconds: Ms) {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) += seconds * 1000;
    }

    fn answer(&self, request: &http::Request<Bytes>) -> http::Response<Bytes> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.pass(self.now(), aws::happened);
        aws::answer(&mut world, request, None)
    }
}

/// Serves a new, empty account on a port until the process ends.
///
/// # Errors
/// When the port is taken.
pub(crate) fn serve(port: u16, factor: f64) -> io::Result<()> {
    let world = World::new("aws", aws::REGION, 1, Weather::calm());
    let account = Account { world: Mutex::new(world), begun: Instant::now(), factor, passed: Mutex::new(0) };
    let account = Arc::new(account);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    for stream in listener.incoming() {
        let (stream, account) = (stream?, Arc::clone(&account));
        // A connection that breaks is the client's affair.
        std::thread::spawn(move || drop(converse(&stream, &account)));
    }
    Ok(())
}

/// Answers one request after the other, as long as the client keeps the connection.
fn converse(stream: &TcpStream, account: &Account) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader, stream)? {
        let old = request.version() == http::Version::HTTP_10;
        let close = old || header(&request, "connection").eq_ignore_ascii_case("close");
        let answer = match request.uri().path() {
            "/__pass" => {
                account.pass(request.uri().query().and_then(|seconds| seconds.parse().ok()).unwrap_or(0));
                http::Response::new(Bytes::new())
            }
            "/__stats" => http::Response::new(Bytes::from_static(b"{}")),
            _ => account.answer(&request),
        };
        write(stream, &request, &answer)?;
        if close {
            break;
        }
    }
    Ok(())
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn header<'a>(request: &'a http::Request<Bytes>, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.take(HEAD_LINE).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// The next request; `None` when the client has closed the connection.
fn read(reader: &mut impl BufRead, stream: &TcpStream) -> io::Result<Option<http::Request<Bytes>>> {
    let first = line(reader)?;
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next().filter(|word| !word.is_empty()), words.next()) else {
        return Ok(None);
    };
    let mut headers = Vec::new();
    loop {
        let line = line(reader)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| wrong("a header without a colon"))?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        if headers.len() > HEADERS {
            return Err(wrong("too many headers"));
        }
    }
    let find = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let length: u64 = find("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if length > BODY || find("transfer-encoding").is_some() {
        return Err(wrong("a body that is too long or has no length"));
    }
    if find("expect").is_some() {
        let mut stream = stream;
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = vec![0; usize::try_from(length).unwrap_or_default()];
    reader.read_exact(&mut body)?;
    let host = find("host").unwrap_or("localhost").to_owned();
    let version = if words.next() == Some("HTTP/1.0") { http::Version::HTTP_10 } else { http::Version::HTTP_11 };
    let uri = format!("http://{host}{target}");
    let mut request = http::Request::builder().version(version).method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(Bytes::from(body)).map(Some).map_err(|_| wrong("a head that is none"))
}

fn write(mut stream: &TcpStream, request: &http::Request<Bytes>, answer: &http::Response<Bytes>) -> io::Result<()> {
    let mut text = format!("HTTP/1.1 {}\r\n", answer.status());
    let given = answer.headers().contains_key("content-length");
    for (name, value) in answer.headers() {
        text.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes())));
    }
    if !given {
        text.push_str(&format!("content-length: {}\r\n", answer.body().len()));
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    if request.method() != http::Method::HEAD {
        bytes.extend_from_slice(answer.body());
    }
    stream.write_all(&bytes)
}
