//! `serve PORT [FACTOR]`: a simulated account on the loopback address, for judges. Time runs FACTOR times as fast as the
//! real one; with 0 it stands still until a request lets it pass.

mod front;

use std::io;

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let port = args.next().and_then(|port| port.parse().ok());
    let port = port.ok_or_else(|| io::Error::other("which port?"))?;
    let factor = args.next().and_then(|factor| factor.parse().ok()).unwrap_or(60.0);
    front::serve(port, factor)
}
