//! `iam policy`: what the credentials must be allowed.

use super::{Desk, Done};
use crate::args::{Format, Iam, IamWhat};
use crate::failure::Failure;
use crate::operations::export::{offline, policy};

pub(crate) async fn run(desk: &Desk, args: &Iam) -> Result<Done, Failure> {
    let IamWhat::Policy { which } = &args.what;
    let offline = offline(&desk.app, which.name.as_deref(), which.file.as_deref()).await?;
    // The document goes to the cloud as it is, so that it carries no schema of ours.
    desk.print(Format::Json, &policy(&offline))?;
    Ok(Done::Well)
}
