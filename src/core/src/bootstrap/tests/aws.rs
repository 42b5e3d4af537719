//! The AWS back end against moto, with signature verification and IAM enforcement on: an outside judge of the signer
//! and of the promises of the secret store. Needs `moto_server` on the PATH or in `$MOTO_SERVER`.

use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::time::{Duration, Instant};

use super::*;

/// A moto of its own, ended with the test.
struct Moto {
    process: Child,
    address: String,
    key_id: String,
    secret: String,
    token: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Moto {
    /// Starts it, makes a role that may do what a control-plane node may, then switches the checks on.
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let program = std::env::var_os("MOTO_SERVER").unwrap_or_else(|| "moto_server".into());
        let process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let address = format!("http://127.0.0.1:{port}");
        let mut moto = Self { process, address, key_id: String::new(), secret: String::new(), token: String::new() };
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "moto does not answer");
            std::thread::sleep(Duration::from_millis(100));
        }
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        moto.ask(
            "iam",
            &format!("Action=CreateRole&RoleName=node&AssumeRolePolicyDocument={trust}&Version=2010-05-08"),
        );
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ssm:GetParameter","ssm:PutParameter","ssm:DeleteParameter"],"Resource":"*"}]}"#;
        moto.ask(
            "iam",
            &format!("Action=PutRolePolicy&RoleName=node&PolicyName=ssm&PolicyDocument={policy}&Version=2010-05-08"),
        );
        let role = "arn:aws:iam::123456789012:role/node";
        let session =
            moto.ask("sts", &format!("Action=AssumeRole&RoleArn={role}&RoleSessionName=i-0abc&Version=2011-06-15"));
        let field = |name: &str| {
            let (_, rest) = session.split_once(&format!("<{name}>")).expect("the field");
            rest.split_once('<').expect("its end").0.to_owned()
        };
        (moto.key_id, moto.secret, moto.token) =
            (field("AccessKeyId"), field("SecretAccessKey"), field("SessionToken"));
        moto.curl(&["-H", "Content-Type: text/plain", "--data", "0", &format!("{}/moto-api/reset-auth", moto.address)]);
        Some(moto)
    }

    /// A request from before the checks are on: only the service is read from its signature.
    fn ask(&self, service: &str, query: &str) -> String {
        let scope = format!(
            "Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=x"
        );
        self.curl(&["-H", &scope, "--data", query, &self.address])
    }

    fn curl(&self, arguments: &[&str]) -> String {
        let said = run("curl", &[&["-sSf"], arguments].concat(), "");
        assert!(said.ok, "{}", said.err);
        said.out
    }

    /// Runs commands with the script's own back end; only the metadata service is replaced.
    fn node(&self, secret: &str, commands: &str) -> Said {
        let mut config = control_plane();
        let CloudFacts::Aws(aws) = &mut config.cloud;
        aws.ssm_endpoint = Some(self.address.clone());
        aws.kms_key = None;
        let scratch = tempfile::tempdir().expect("a folder");
        let metadata = format!(
            "imds() {{ case $1 in */) echo role;; *) printf '{{\"AccessKeyId\" : \"{}\",\\n\"SecretAccessKey\":\"{secret}\", \"Token\" : \"{}\"}}';; esac; }}\n",
            self.key_id, self.token
        );
        with_library(&config, scratch.path(), &(metadata + "SSM_PATIENCE=0\n" + commands))
    }
}

#[test]
fn the_secret_store_keeps_its_promises() {
    let Some(moto) = Moto::start() else {
        script::eprintln_skipped("moto_server is neither on the PATH nor in $MOTO_SERVER");
        return;
    };
    let value = "abcdef.0123456789abcdef sha256:0a1b 1764000000";
    let said = moto.node(
        &moto.secret,
        &format!(
            "code=0; secret_get join/material || code=$?; echo absent $code\n\
             secret_create join/material '{value}'; echo created\n\
             secret_create join/material '{value}'; echo a lost answer is ours\n\
             code=0; secret_create join/material other || code=$?; echo second $code\n\
             secret_get join/material; echo\n\
             secret_put join/material 'U2VhbGVk+/=='; secret_read X join/material; echo \"$X\"\n\
             secret_delete join/material; secret_delete join/material; secret_read X join/material; echo \"gone [$X]\""
        ),
    );
    assert!(said.ok, "{}{}", said.out, said.err);
    assert_eq!(
        said.out,
        format!("absent 3\ncreated\na lost answer is ours\nsecond 4\n{value}\nU2VhbGVk+/==\ngone []\n")
    );
    // The judge does check: with another secret it refuses, and the reason is said.
    let said = moto.node("wrong", "secret_get join/material");
    assert!(!said.ok && said.out.contains("ssm GetParameter:"), "{}{}", said.out, said.err);
    assert!(!said.out.contains("wrong"), "{}", said.out);
}
