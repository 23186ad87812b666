//! What a person does with a page: the mouse and the keyboard.

use chromiumoxide::cdp::browser_protocol::input::{
    DispatchKeyEventParams, DispatchKeyEventType, InsertTextParams,
};
use chromiumoxide::keys;
use chromiumoxide::layout::Point;

use super::{Page, within};
use crate::Error;

const FIND: &str = include_str!("find.js");

impl Page {
    /// Clicks the one visible element that the CSS selector matches, as soon as there is one.
    ///
    /// # Errors
    ///
    /// There is none, there are several, or it is disabled or covered by another, until the deadline.
    pub async fn click(&self, selector: &str) -> Result<(), Error> {
        self.click_found("selector", selector).await
    }

    /// Clicks the one visible element with exactly this text, as soon as there is one: a button, a link, a label.
    /// White space is compared as one blank.
    ///
    /// # Errors
    ///
    /// See [`click`](Self::click).
    pub async fn click_text(&self, text: &str) -> Result<(), Error> {
        self.click_found("text", text).await
    }

    async fn click_found(&self, how: &str, wanted: &str) -> Result<(), Error> {
        let what = format!("an element with {how} {wanted:?} that can be clicked");
        let script = format!("({FIND})({}, {})", quoted(how), quoted(wanted));
        let place = self
            .poll(&what, async || {
                let found = self.evaluate(&script).await?;
                let number = |name| found.get(name).and_then(serde_json::Value::as_f64);
                Ok(number("x").zip(number("y")).ok_or_else(|| {
                    found
                        .get("problem")
                        .and_then(|problem| problem.as_str())
                        .unwrap_or_default()
                        .to_owned()
                }))
            })
            .await?;
        within("click", self.tab().click(Point::new(place.0, place.1))).await?;
        Ok(())
    }

    /// Clicks into a field, and replaces what is in it.
    ///
    /// # Errors
    ///
    /// See [`click`](Self::click).
    pub async fn fill(&self, selector: &str, text: &str) -> Result<(), Error> {
        self.click(selector).await?;
        self.evaluate("document.activeElement?.select?.()").await?;
        self.type_text(text).await
    }

    /// Types into whatever has the focus.
    ///
    /// # Errors
    ///
    /// The browser does not take it.
    pub async fn type_text(&self, text: &str) -> Result<(), Error> {
        for character in text.chars() {
            let character = character.to_string();
            if keys::get_key_definition(&character).is_some() {
                self.press(&character).await?;
            } else {
                // No key of an English keyboard; an input method would insert it.
                within("type", self.tab().execute(InsertTextParams::new(character))).await?;
            }
        }
        Ok(())
    }

    /// Presses a key, by its [name in the web's standard](https://www.w3.org/TR/uievents-key/), perhaps with others held
    /// down: `Tab`, `Shift+Tab`, `Enter`, `Escape`, `ArrowDown`, `Control+a`.
    ///
    /// # Errors
    ///
    /// There is no such key, or the browser does not take it.
    pub async fn press(&self, key: &str) -> Result<(), Error> {
        let unknown = || Error::Browser {
            action: format!("press {key}"),
            reason: "there is no such key".to_owned(),
        };
        // The key `+` is one itself.
        let (held, last) = match key.rsplit_once('+') {
            Some((held, last)) if !last.is_empty() => (held, last),
            _ => ("", key),
        };
        let mut modifiers = 0;
        for name in held.split('+').filter(|name| !name.is_empty()) {
            modifiers |= modifier(name).ok_or_else(unknown)?;
        }
        let definition = keys::get_key_definition(last).ok_or_else(unknown)?;
        let mut event = DispatchKeyEventParams::builder()
            .modifiers(modifiers)
            .key(definition.key)
            .code(definition.code)
            .windows_virtual_key_code(definition.key_code)
            .native_virtual_key_code(definition.key_code);
        let mut down = DispatchKeyEventType::RawKeyDown;
        // With Control, Alt or Meta held down a key types nothing.
        if modifiers & !SHIFT == 0 {
            let single = (definition.key.chars().count() == 1).then_some(definition.key);
            if let Some(text) = definition.text.or(single) {
                event = event.text(text);
                down = DispatchKeyEventType::KeyDown;
            }
        }
        for kind in [down, DispatchKeyEventType::KeyUp] {
            let params = event
                .clone()
                .r#type(kind)
                .build()
                .map_err(|reason| Error::Browser {
                    action: format!("press {key}"),
                    reason,
                })?;
            within("press a key", self.tab().execute(params)).await?;
        }
        Ok(())
    }
}

const SHIFT: i64 = 8;

/// The bits that the browser knows them by.
fn modifier(name: &str) -> Option<i64> {
    match name {
        "Alt" => Some(1),
        "Control" => Some(2),
        "Meta" => Some(4),
        "Shift" => Some(SHIFT),
        _ => None,
    }
}

/// A text as JavaScript writes it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
