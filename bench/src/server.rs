//! A server on its own data directory, told things over its socket and watched through `/proc`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// Far longer than it may take; what takes longer hangs.
const READY_TIMEOUT: Duration = Duration::from_secs(120);
/// Between two looks: short beside what is measured.
const POLL: Duration = Duration::from_millis(1);
/// How long the server may keep an answer back: longer than an execution takes.
const WAIT_MS: u64 = 20_000;
/// More turns than an execution has: who follows from there is told of its end and of nothing else.
const PAST_ALL_TURNS: u64 = 1_000_000_000;

/// A running `skep serve`; killed when dropped.
pub struct Server {
    child: Child,
    data: PathBuf,
    /// From the start of the process until it answered.
    pub ready_after: Duration,
}

impl Server {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(skep: &Path, data: &Path) -> Result<Self> {
        let began = Instant::now();
        let mut command = Command::new(skep);
        command
            .arg("serve")
            .arg("--data-dir")
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().context("starting `skep serve`")?;
        let mut server = Self { child, data: data.to_owned(), ready_after: Duration::ZERO };
        while Connection::open(&server.data).and_then(|mut socket| socket.ping()).is_err() {
            if let Some(status) = server.child.try_wait().context("looking at `skep serve`")? {
                bail!("`skep serve` ended before it was ready: {status}");
            }
            if began.elapsed() > READY_TIMEOUT {
                bail!("`skep serve` was not ready within {READY_TIMEOUT:?}");
            }
            thread::sleep(POLL);
        }
        server.ready_after = began.elapsed();
        Ok(server)
    }

    /// A connection of its own.
    ///
    /// # Errors
    /// The server is gone.
    pub fn connect(&self) -> Result<Connection> {
        Connection::open(&self.data)
    }

    /// Resident memory now and at its peak, in MB.
    ///
    /// # Errors
    /// The process is gone.
    pub fn memory_mb(&self) -> Result<(u64, u64)> {
        memory_mb(self.child.id())
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill().context("killing `skep serve`")?;
        self.child.wait().context("waiting for `skep serve`").map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `kill` both do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Resident memory of a process now and at its peak, in MB.
///
/// # Errors
/// The process is gone.
pub fn memory_mb(process: u32) -> Result<(u64, u64)> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    let kib = (of("VmRSS:"), of("VmHWM:"));
    let (Some(now), Some(peak)) = kib else { bail!("{path} does not tell the memory") };
    Ok((now / 1_000, peak / 1_000))
}

/// An HTTP connection to the socket that is kept open.
pub struct Connection {
    reader: BufReader<UnixStream>,
}

impl Connection {
    fn open(data: &Path) -> Result<Self> {
        let stream = UnixStream::connect(data.join("skep.sock")).context("connecting to the server's socket")?;
        Ok(Self { reader: BufReader::new(stream) })
    }

    fn ping(&mut self) -> Result<()> {
        self.exchange("GET", "/v1/ping", "").map(drop)
    }

    /// Starts a workflow of this text; gives the execution's id.
    ///
    /// # Errors
    /// The server refuses.
    pub fn start(&mut self, text: &str) -> Result<String> {
        let source = json!({"text": {"text": text, "file": null}});
        let environment = json!({"PATH": std::env::var("PATH").unwrap_or_default()});
        let answer = self.call("start", &json!({"source": source, "base_dir": "/", "environment": environment}))?;
        answer["execution_id"].as_str().map(str::to_owned).with_context(|| format!("no execution in {answer}"))
    }

    /// Starts a workflow of this text and returns when its end is known. The server says so by itself.
    ///
    /// # Errors
    /// The server refuses, or the execution does not complete.
    pub fn run(&mut self, text: &str) -> Result<()> {
        let execution = self.start(text)?;
        let known = json!({"status": "running", "waits_for_people": false});
        let body = json!({"execution": execution, "from_seq": PAST_ALL_TURNS, "known": known, "wait_ms": WAIT_MS});
        match self.call("follow", &body)?["status"].as_str() {
            Some("completed") => Ok(()),
            other => bail!("the execution is {other:?}"),
        }
    }

    /// One use case.
    ///
    /// # Errors
    /// The server refuses, or is gone.
    pub fn call(&mut self, name: &str, body: &Value) -> Result<Value> {
        let answer = self.exchange("POST", &format!("/v1/{name}"), &body.to_string())?;
        serde_json::from_str(&answer).with_context(|| format!("reading the answer of {name}"))
    }

    fn exchange(&mut self, method: &str, path: &str, body: &str) -> Result<String> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: skep\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let stream = self.reader.get_mut();
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).context("sending")?;
        let mut status = String::new();
        self.reader.read_line(&mut status).context("reading the answer")?;
        let length = self.length_of_body()?;
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).context("reading the answer")?;
        let body = String::from_utf8(body).context("reading the answer")?;
        if !status.contains(" 200 ") {
            bail!("{path} answered {}: {body}", status.trim());
        }
        Ok(body)
    }

    fn length_of_body(&mut self) -> Result<usize> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).context("reading the answer's head")?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                return Ok(length);
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().context("reading the answer's length")?;
            }
        }
    }
}
