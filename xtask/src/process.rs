//! Children: services that end with us, commands that end in time, and the little HTTP that asks emulators.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

/// A child that is killed, by its id, when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
    begun: Instant,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) seconds: f64,
    /// Where its output lies.
    err: PathBuf,
}

impl Running {
    /// Starts a command whose output goes to `STEM.out` and `STEM.err`.
    pub(crate) fn start(command: &mut Command, stem: &Path) -> Result<Self> {
        let (out, err) = (stem.with_extension("out"), stem.with_extension("err"));
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(&out)?)
            .stderr(File::create(&err)?)
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        Ok(Self { child, out, err, begun: Instant::now() })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// What it has said on standard error so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.err).unwrap_or_default()
    }

    /// SIGKILL. Says whether it struck a process that was still at work.
    pub(crate) fn kill(&mut self) -> Result<bool> {
        let struck = self.is_running()?;
        if struck {
            self.child.kill()?;
        }
        Ok(self.child.wait()?.signal() == Some(9) && struck)
    }

    /// Waits for its end; past the limit it is killed, which is an error.
    pub(crate) fn end(mut self, limit: Duration) -> Result<Ran> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Ran {
                    status,
                    stdout: read(&self.out),
                    stderr: read(&self.err),
                    seconds: self.begun.elapsed().as_secs_f64(),
                    err: self.err.clone(),
                });
            }
            if self.begun.elapsed() > limit {
                self.child.kill()?;
                bail!(
                    "still running after {} s; see {}\n{}",
                    limit.as_secs(),
                    self.err.display(),
                    tail(&read(&self.err))
                );
            }
            std::thread::sleep(Duration::from_millis(4));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill and wait() tells so.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ran {
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Takes this exit code and no other.
    pub(crate) fn expect(self, code: i32, what: &str) -> Result<Self> {
        ensure!(
            self.code() == Some(code),
            "{what}: {}, not exit code {code}; see {}\n{}",
            self.status,
            self.err.display(),
            tail(&format!("{}{}", self.stdout, self.stderr))
        );
        Ok(self)
    }
}

fn read(path: &Path) -> String {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The last lines of what was said.
pub(crate) fn tail(said: &str) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// A port on loopback that nobody listens on just now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Asks a service on loopback; anything but 200 is an error.
pub(crate) fn http(port: u16, method: &str, path: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, content) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    ensure!(status == "200", "{method} {path} was answered with {status}");
    Ok(content.to_owned())
}

/// Waits until a service answers.
pub(crate) fn wait_for(service: &mut Running, port: u16, path: &str) -> Result<()> {
    let begun = Instant::now();
    loop {
        if http(port, "GET", path, "").is_ok() {
            return Ok(());
        }
        ensure!(service.is_running()?, "it ended at once:\n{}", tail(&service.said()));
        ensure!(begun.elapsed() < Duration::from_secs(60), "no answer on port {port}:\n{}", tail(&service.said()));
        std::thread::sleep(Duration::from_millis(50));
    }
}
