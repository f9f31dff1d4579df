//! Configuration: a raw mirror of the file, and the validated form that the rest of the program sees.

mod alerts;
mod comparison;
mod error;
mod logging;
mod raw;
mod resolve;
mod resolved;
mod rollout;
mod units;
mod web;

use std::fs;
use std::path::Path;

pub use error::{ConfigError, Problem};
pub use resolve::check_interface_name;
pub use resolved::*;
pub use units::{Size, Span};

impl Config {
    /// Reads and validates a YAML file.
    ///
    /// # Errors
    /// When the file cannot be read, is no YAML, has unknown keys, or has values that are not allowed: the error names
    /// the file and, for each problem, line, column, key and what is allowed.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|io| ConfigError::Read { path: path.into(), io })?;
        let mut config = Self::parse(&text).map_err(|problems| ConfigError::Invalid {
            path: path.into(),
            problems,
        })?;
        config.source = Some(path.into());
        Ok(config)
    }

    /// Reads and validates YAML text.
    ///
    /// # Errors
    /// All problems found, in the order of their places.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let file: raw::File = if text.trim().is_empty() {
            raw::File::default()
        } else {
            serde_saphyr::from_str(text).map_err(|error| vec![Problem::from_yaml(&error)])?
        };
        resolve::resolve(file)
    }
}
