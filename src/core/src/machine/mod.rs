//! Machine types, and how a request becomes one.
//!
//! A cluster file asks for what a machine must have; a cloud rents out types with names. The catalogue of a cloud is
//! data with a date and a source. What is offered where today is asked of the cloud by its provider and handed in.
//!
//! - [`types`] a machine type, its price, a catalogue of them
//! - [`table`] the text form that a provider embeds
//! - [`request`] what is wanted, for whom and where; what is offered
//! - [`resolve`] the choice: cheapest first, further types for a ladder, what had to be left out and why
//! - [`refusal`] why there is none, and the nearest that exists
//!
//! Everything here is a pure function of values: no cloud, no clock.

pub mod refusal;
pub mod request;
pub mod resolve;
pub mod table;
pub mod types;

pub use refusal::NoMachine;
pub use request::{Demand, GpuWish, Offerings, Request, Role, Want};
pub use resolve::{Checked, Choice, Dropped, Lost, resolve};
pub use table::TableError;
pub use types::{Arch, Catalogue, Gpu, MachineType, Market, Price, PriceList};
