//! Configuration as text: what holds, a file to begin with, and the reference.

mod effective;
mod reference;
mod scalar;
mod template;

pub use effective::yaml;
pub use reference::reference;
pub use scalar::flow;
pub use template::template;
