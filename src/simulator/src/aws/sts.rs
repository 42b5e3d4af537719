//! STS: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>.

use super::ACCOUNT;
use super::call::{Answer, Call, object};
use super::table::{Action, Behaviour, Protocol, Service};

pub(super) const BEHAVIOURS: &[Behaviour] = &[Behaviour {
    name: "the_caller_is_a_user_of_the_simulated_account",
    source: "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html",
}];

pub(super) static SERVICE: Service = Service {
    name: "sts",
    namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    protocol: Protocol::Query,
    actions: &[&[Action::special("GetCallerIdentity", caller)]],
    behaviours: &[BEHAVIOURS],
};

fn caller(_: &mut Call<'_>) -> Answer {
    Ok(object([
        ("Arn", format!("arn:aws:iam::{ACCOUNT}:user/simulated").into()),
        ("UserId", "AIDASIMULATED00000000".into()),
        ("Account", ACCOUNT.into()),
    ]))
}

#[cfg(test)]
mod tests {
    use crate::aws::testing::Desk;

    #[test]
    fn the_caller_is_a_user_of_the_simulated_account() {
        let mut desk = Desk::calm();
        let reply = desk.send("sts", "POST", "/", "Action=GetCallerIdentity&Version=2011-06-15");
        let xml = reply.xml();
        assert_eq!(xml.name, "GetCallerIdentityResponse");
        assert_eq!(xml.text("GetCallerIdentityResult.Account"), Some("123456789012"));
        assert_eq!(xml.text("GetCallerIdentityResult.Arn"), Some("arn:aws:iam::123456789012:user/simulated"));
    }
}
