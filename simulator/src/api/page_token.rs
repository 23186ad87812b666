//! Page tokens of `chromeosdevices.list`.
//!
//! A token carries the position of its walk, the time at which the walk began, and a digest of the parameters
//! that must be repeated. It needs no memory in the server, so walks survive a restart. Where the walk began
//! more than an hour ago, Google answers 503 for the token; what is not a token of this walk is an invalid
//! input.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::fleet::org_units::UnitKey;
use crate::fleet::{Position, Slot};
use crate::random::Draw;

/// A walk must end this many seconds after its first page.
pub(crate) const WALK_LIMIT_SECONDS: i64 = 3600;

const VERSION: u8 = 1;

/// Where a walk continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageToken {
    /// Digest of the parameters of the walk.
    pub(crate) parameters: u64,
    /// Seconds since 1970 at which the first page was asked for.
    pub(crate) started: i64,
    /// The number of the page that this token asks for; the first page, which needs no token, is 1.
    pub(crate) page: u32,
    /// The last device of the page before.
    pub(crate) position: Position,
    /// The sort key of that device in a sorted walk.
    pub(crate) sort_key: String,
}

/// The text is not a page token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAPageToken;

impl PageToken {
    /// The text on the wire.
    pub(crate) fn encode(&self, secret: u64) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.parameters.to_be_bytes());
        bytes.extend(self.started.to_be_bytes());
        bytes.extend(self.page.to_be_bytes());
        bytes.extend(self.position.unit.0.to_be_bytes());
        bytes.extend(self.position.slot.0.to_be_bytes());
        bytes.extend(self.sort_key.as_bytes());
        let seal = seal(secret, &bytes);
        bytes.extend(seal);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a text; anything that was not made by [`Self::encode`] with the same secret is refused.
    pub(crate) fn decode(text: &str, secret: u64) -> Result<Self, NotAPageToken> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotAPageToken)?;
        let (bytes, sealed) = bytes.split_last_chunk::<8>().ok_or(NotAPageToken)?;
        if seal(secret, bytes) != *sealed {
            return Err(NotAPageToken);
        }
        let mut rest = bytes;
        if take::<1>(&mut rest)? != [VERSION] {
            return Err(NotAPageToken);
        }
        Ok(Self {
            parameters: u64::from_be_bytes(take(&mut rest)?),
            started: i64::from_be_bytes(take(&mut rest)?),
            page: u32::from_be_bytes(take(&mut rest)?),
            position: Position {
                unit: UnitKey(u32::from_be_bytes(take(&mut rest)?)),
                slot: Slot(u32::from_be_bytes(take(&mut rest)?)),
            },
            sort_key: String::from_utf8(rest.to_vec()).map_err(|_| NotAPageToken)?,
        })
    }

    /// Whether Google would still answer at this time (seconds since 1970).
    pub(crate) fn is_too_old(&self, now: i64) -> bool {
        now.saturating_sub(self.started) > WALK_LIMIT_SECONDS
    }
}

fn take<const LENGTH: usize>(rest: &mut &[u8]) -> Result<[u8; LENGTH], NotAPageToken> {
    let (first, remaining) = rest.split_first_chunk::<LENGTH>().ok_or(NotAPageToken)?;
    *rest = remaining;
    Ok(*first)
}

/// Keeps damaged tokens out; it is no protection against a forger, who would only cheat himself.
fn seal(secret: u64, bytes: &[u8]) -> [u8; 8] {
    let folded = bytes
        .iter()
        .fold(Draw::new(secret), |draw, byte| draw.at(u64::from(*byte)));
    folded.bits().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(parameters: u64, page: u32, slot: u32, sort_key: String) -> PageToken {
        let position = Position {
            unit: UnitKey(3),
            slot: Slot(slot),
        };
        PageToken {
            parameters,
            started: 1_795_000_000,
            page,
            position,
            sort_key,
        }
    }

    proptest! {
        #[test]
        fn a_token_reads_back(parameters: u64, page: u32, slot: u32, sort_key in ".{0,60}", secret: u64) {
            let token = token(parameters, page, slot, sort_key);
            prop_assert_eq!(PageToken::decode(&token.encode(secret), secret), Ok(token));
        }

        #[test]
        fn a_damaged_token_is_refused(position in 0_usize..50, letter in "[A-Za-z0-9_-]") {
            let whole = token(7, 2, 200, String::new()).encode(1);
            let mut damaged = whole.clone();
            damaged.replace_range(position..=position, &letter);
            prop_assume!(damaged != whole);
            // The last letter holds bits which the decoder insists on being zero, so every change shows.
            prop_assert_eq!(PageToken::decode(&damaged, 1), Err(NotAPageToken));
        }

        #[test]
        fn no_text_makes_the_decoder_panic(text in ".{0,80}") {
            prop_assert_eq!(PageToken::decode(&text, 1), Err(NotAPageToken));
        }
    }

    #[test]
    fn a_token_of_another_simulator_is_refused() {
        let text = token(7, 2, 200, String::new()).encode(1);
        assert_eq!(PageToken::decode(&text, 2), Err(NotAPageToken));
    }

    #[test]
    fn a_walk_may_last_an_hour() {
        let token = token(7, 2, 200, String::new());
        assert!(!token.is_too_old(token.started + 3600));
        assert!(token.is_too_old(token.started + 3601));
    }
}
