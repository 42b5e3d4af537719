//! A transport for tests: it records what is sent and gives the answers it was told to give.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use clusterctl_core::transport::{Transport, TransportError, TransportFailure};

use super::Client;

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    failure: Option<TransportFailure>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.to_owned(), failure: None }
    }

    /// An error as EC2 writes it.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        Self::new(status, &format!("<Response><Errors>{error}</Errors><RequestID>r-1</RequestID></Response>"))
    }

    pub(crate) fn unanswered(failure: TransportFailure) -> Self {
        Self { failure: Some(failure), ..Self::new(0, "") }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// Answers by action where told, else one after another.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    answers: Mutex<VecDeque<Answer>>,
    by_action: BTreeMap<&'static str, Answer>,
    sent: Mutex<Vec<BTreeMap<String, String>>>,
}

impl Recorder {
    /// A client whose requests get these answers, in order.
    pub(crate) fn client(answers: impl IntoIterator<Item = Answer>) -> (Client, Arc<Self>) {
        Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() }.connect()
    }

    /// A client whose requests are answered by their action.
    pub(crate) fn by_action<const N: usize>(answers: [(&'static str, Answer); N]) -> (Client, Arc<Self>) {
        Self { by_action: BTreeMap::from(answers), ..Self::default() }.connect()
    }

    fn connect(self) -> (Client, Arc<Self>) {
        let recorder = Arc::new(self);
        let transport: Arc<dyn Transport> = recorder.clone();
        let region = Some("eu-central-1".to_owned());
        let client = Client::with_keys(transport, region, ("AKIDEXAMPLE", "secret"), 1).expect("a client");
        (client, recorder)
    }

    /// The form fields of every request, in the order they were sent.
    pub(crate) fn sent(&self) -> Vec<BTreeMap<String, String>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn actions(&self) -> Vec<String> {
        self.sent().iter().map(|form| form.get("Action").cloned().unwrap_or_default()).collect()
    }

    /// One request as a line of `Field=value`, without what every request has.
    pub(crate) fn line(&self, index: usize) -> String {
        let sent = self.sent();
        let form = sent.get(index).expect("as many requests");
        let fields = form.iter().filter(|(key, _)| !matches!(key.as_str(), "Action" | "Version"));
        fields.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let mut form: BTreeMap<String, String> = form(&String::from_utf8_lossy(request.body()));
        if let Some(target) = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()) {
            form.insert("Action".to_owned(), target.rsplit('.').next().unwrap_or_default().to_owned());
        }
        let action = form.get("Action").cloned().unwrap_or_default();
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(form);
        let answer = match self.by_action.get(action.as_str()) {
            Some(answer) => answer.clone(),
            None => self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or_else(|| {
                let message = format!("nothing is foreseen for {action}");
                Answer::error(400, "Unforeseen", &message)
            }),
        };
        if let Some(kind) = answer.failure {
            return Err(TransportError { kind, message: "no answer".to_owned() });
        }
        let mut response = http::Response::builder().status(answer.status);
        for (name, value) in &answer.headers {
            response = response.header(*name, value);
        }
        Ok(response.body(Bytes::from(answer.body)).expect("a response"))
    }
}

/// Reads `a=1&b=x%20y`; a JSON body becomes one field.
fn form(body: &str) -> BTreeMap<String, String> {
    if body.starts_with('{') {
        return BTreeMap::from([("Body".to_owned(), body.to_owned())]);
    }
    body.split('&').filter_map(|pair| pair.split_once('=')).map(|(key, value)| (plain(key), plain(value))).collect()
}

fn plain(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let hex: String = rest.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&hex, 16).expect("two hex digits")
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// Runs a future to its end on a runtime of its own.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
