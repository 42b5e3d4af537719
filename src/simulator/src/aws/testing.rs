//! Requests for tests, answered without a wire.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{SERVICES, query};
use crate::weather::Weather;
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
}
