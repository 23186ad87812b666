//! Which characters of foreign text may reach a terminal.
//!
//! Device names, notes and messages come from Google and from other people. A control character in them could move the
//! cursor, change the title of the window or hide what stands there; a bidirectional one could show it in another order.

use std::borrow::Cow;

/// The text with every character that would steer a terminal written as `\u{…}`. Lines are joined by blanks.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' | '\t' => shown.push(' '),
            '\r' => {}
            unsafe_one if is_unsafe(unsafe_one) => shown.extend(unsafe_one.escape_unicode()),
            other => shown.push(other),
        }
    }
    Cow::Owned(shown)
}

/// Control characters (C0, DEL, C1), the separators that end a line, and those that change the direction of writing
/// (Unicode Standard Annex #9, "Explicit Directional Embeddings, Overrides and Isolates").
const fn is_unsafe(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_and_not_obeyed() {
        for (text, shown) in [
            (
                "HP Chromebook 11 G9 – ärgerlich",
                "HP Chromebook 11 G9 – ärgerlich",
            ),
            (
                "\u{1b}[31mred\u{1b}]0;title\u{7}",
                "\\u{1b}[31mred\\u{1b}]0;title\\u{7}",
            ),
            ("one\r\ntwo\tthree", "one two three"),
            ("a\u{9b}2Jb\u{7f}", "a\\u{9b}2Jb\\u{7f}"),
            ("user\u{202e}gnp.exe", "user\\u{202e}gnp.exe"),
        ] {
            assert_eq!(clean(text), shown);
        }
    }
}
