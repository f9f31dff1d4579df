//! Hand-made connections for `legacy`: one per thing that real traffic does.

mod conversation;
mod framing;
mod hostile;
mod pairing;
mod patience;
mod tcp;
mod wire;
