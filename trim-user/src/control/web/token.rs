//! The word that opens the listener.

use std::hint::black_box;

use crate::control::alert::secret::Secret;

/// Shortest token, bytes. Guessing is what a token has to withstand.
const SHORTEST: usize = 16;

/// A token, compared in a time that does not tell how much of a guess was right.
#[derive(Clone, Debug)]
pub struct Token(Secret);

/// The token is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token of {0} bytes can be guessed: at least {SHORTEST}, such as `openssl rand -hex 24` prints")]
pub struct ShortToken(usize);

impl Token {
    /// Takes this secret as the token.
    ///
    /// # Errors
    /// When it is shorter than 16 bytes.
    pub fn new(secret: Secret) -> Result<Self, ShortToken> {
        match secret.reveal().len() {
            0..SHORTEST => Err(ShortToken(secret.reveal().len())),
            _ => Ok(Self(secret)),
        }
    }

    /// Whether `guess` is the token. A guess of another length is told sooner; no other difference is.
    pub fn is(&self, guess: &str) -> bool {
        let (mine, theirs) = (self.0.reveal().as_bytes(), guess.as_bytes());
        let differing = mine.iter().zip(theirs).fold(0, |all, (a, b)| black_box(all | (a ^ b)));
        mine.len() == theirs.len() && differing == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_the_token() {
        let token = Token::new(Secret::new("0123456789abcdef")).unwrap();
        assert!(token.is("0123456789abcdef"));
        for guess in [
            "",
            "0123456789abcde",
            "0123456789abcdeF",
            "0123456789abcdef0",
            "x123456789abcdef",
        ] {
            assert!(!token.is(guess), "{guess}");
        }
        assert_eq!(format!("{token:?}"), "Token([hidden])");
    }

    #[test]
    fn a_token_that_can_be_guessed_is_refused_and_not_repeated() {
        let error = Token::new(Secret::new("hunter2")).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
