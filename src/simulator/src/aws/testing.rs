//! Requests for tests: [`Desk::ask`] for query protocols, without a wire; [`Desk::send`] for the others, as they go over it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::{SERVICES, query};
use crate::weather::Weather;
use crate::wire::element::Element;
use crate::world::{Ms, World};

/// Somebody who asks a world.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) world: World,
}

impl Desk {
    /// In an empty account where nothing lags.
    pub(crate) fn calm() -> Self {
        Self::with(Weather::calm())
    }

    pub(crate) fn with(weather: Weather) -> Self {
        Self { world: World::new("aws", super::REGION, 1, weather) }
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, time: Ms) {
        let now = self.world.now() + time;
        self.world.pass(now, super::happened);
    }

    /// The answer to an action with these form fields; the service is the one that has the action.
    pub(crate) fn ask(&mut self, action: &str, fields: &[(&str, &str)]) -> Result<Value, String> {
        let known =
            |name: &str| SERVICES.into_iter().find(|s| s.actions.iter().any(|a| a.iter().any(|a| a.name == name)));
        let (service, action) = match action.split_once(':') {
            Some((service, action)) => (SERVICES.into_iter().find(|s| s.name == service), action),
            None => (known(action), action),
        };
        let service = service.unwrap_or_else(|| panic!("no service has {action}"));
        let mut form: BTreeMap<String, String> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        form.insert("Action".to_owned(), action.to_owned());
        query(&mut self.world, service, &form).map(Value::Object).map_err(|refused| refused.code)
    }

    pub(crate) fn ok(&mut self, action: &str, fields: &[(&str, &str)]) -> Value {
        self.ask(action, fields).unwrap_or_else(|code| panic!("{action} was refused: {code}"))
    }

    /// The code of the error that must come.
    pub(crate) fn refused(&mut self, action: &str, fields: &[(&str, &str)]) -> String {
        match self.ask(action, fields) {
            Err(code) => code,
            Ok(answer) => panic!("{action} was answered: {answer}"),
        }
    }

    /// Sends a request that is signed for `service`; `target` is path and query, or a whole address.
    pub(crate) fn send(&mut self, service: &str, method: &str, target: &str, body: &str) -> Reply {
        self.send_with(service, method, target, &[], body)
    }

    pub(crate) fn send_with(
        &mut self,
        service: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let scope = format!("AKIAEXAMPLE/20260101/{}/{service}/aws4_request", self.world.region);
        let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00");
        let address = match target.starts_with('/') {
            true => format!("https://{service}.{}.amazonaws.com{target}", self.world.region),
            false => target.to_owned(),
        };
        let request = http::Request::builder().method(method).uri(address).header("authorization", signed);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(Bytes::copy_from_slice(body.as_bytes())).expect("a request");
        Reply(super::answer(&mut self.world, &request, None))
    }

    /// Asks SSM.
    pub(crate) fn ssm(&mut self, action: &str, params: &Value) -> Result<Value, String> {
        let target = format!("AmazonSSM.{action}");
        let reply = self.send_with("ssm", "POST", "/", &[("x-amz-target", &target)], &params.to_string());
        let body: Value = serde_json::from_str(reply.body()).expect("JSON");
        if reply.status() == 200 { Ok(body) } else { Err(body["__type"].as_str().unwrap_or_default().to_owned()) }
    }
}

/// What came over the wire.
#[derive(Debug)]
pub(crate) struct Reply(http::Response<Bytes>);

impl Reply {
    pub(crate) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    pub(crate) fn body(&self) -> &str {
        std::str::from_utf8(self.0.body()).expect("text")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.0.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn xml(&self) -> Element {
        Element::read(self.body()).unwrap_or_else(|| panic!("no XML: {}", self.body()))
    }

    /// Status and code of an error.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let xml = self.xml();
        let code = xml.text("Error.Code").or(xml.text("Code")).unwrap_or_default();
        (self.status(), code.to_owned())
    }
}
