//! A tab of the browser: what it shows, and how.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams, SetEmulatedVisionDeficiencyParams,
    SetEmulatedVisionDeficiencyType,
};
use chromiumoxide::cdp::browser_protocol::page::{
    CaptureScreenshotFormat, CaptureScreenshotParams, Viewport,
};
use chromiumoxide::cdp::js_protocol::runtime::EvaluateParams;
use serde_json::Value;
use tokio::time::Instant;

use super::events::{Events, Report, exception_text};
use super::input::quoted;
use super::{Unreadable, within};
use crate::Error;

/// How often a wait looks again.
const INTERVAL: Duration = Duration::from_millis(25);

/// How long a page may take to show something, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// A tab. It ends with its browser; [`close`](Self::close) ends it earlier.
pub struct Page {
    tab: chromiumoxide::Page,
    events: Events,
    unreadable: Unreadable,
    patience: Duration,
}

impl fmt::Debug for Page {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Page")
            .field("tab", &self.tab)
            .finish_non_exhaustive()
    }
}

/// How a page is to be shown. The default is a screen with the light colours of the page's own choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own that a person has or has not"
)]
pub struct Look {
    /// As when it is printed.
    pub print: bool,
    /// The person prefers dark colours.
    pub dark: bool,
    /// The person's system sets all colours itself, for contrast.
    pub forced_colors: bool,
    /// The person does not want things to move.
    pub reduced_motion: bool,
    /// The person sees no colours.
    pub no_colors: bool,
}

impl Page {
    pub(super) async fn new(tab: chromiumoxide::Page, unreadable: Unreadable) -> Result<Self, Error> {
        let events = Events::of(&tab).await?;
        Ok(Self {
            tab,
            events,
            unreadable,
            patience: PATIENCE,
        })
    }

    pub(super) fn tab(&self) -> &chromiumoxide::Page {
        &self.tab
    }

    /// How long waits and clicks wait from now on; else ten seconds.
    pub fn patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Loads another page in this tab, and waits until it has loaded.
    ///
    /// # Errors
    ///
    /// It cannot be loaded in time.
    pub async fn go_to(&mut self, url: &str) -> Result<(), Error> {
        within(&format!("open {url}"), self.tab.goto(url)).await?;
        self.wait_until("document.readyState === 'complete'").await
    }

    /// Sets the size of the part that is visible, in CSS pixels.
    ///
    /// # Errors
    ///
    /// The browser refuses.
    pub async fn viewport(&self, width: u32, height: u32) -> Result<(), Error> {
        let params = SetDeviceMetricsOverrideParams::new(width, height, 1.0, false);
        within("change the size", self.tab.execute(params)).await?;
        Ok(())
    }

    /// Shows the page in another way from now on.
    ///
    /// # Errors
    ///
    /// The browser refuses.
    pub async fn look(&self, look: Look) -> Result<(), Error> {
        let choose = |chosen: bool, yes: &str, no: &str| if chosen { yes.to_owned() } else { no.to_owned() };
        let media = SetEmulatedMediaParams::builder()
            .media(choose(look.print, "print", ""))
            .feature(MediaFeature::new(
                "prefers-color-scheme",
                choose(look.dark, "dark", "light"),
            ))
            .feature(MediaFeature::new(
                "forced-colors",
                choose(look.forced_colors, "active", "none"),
            ))
            .feature(MediaFeature::new(
                "prefers-reduced-motion",
                choose(look.reduced_motion, "reduce", "no-preference"),
            ))
            .build();
        within("change the look", self.tab.execute(media)).await?;
        let sight = if look.no_colors {
            SetEmulatedVisionDeficiencyType::Achromatopsia
        } else {
            SetEmulatedVisionDeficiencyType::None
        };
        let sight = SetEmulatedVisionDeficiencyParams::new(sight);
        within("change the colours", self.tab.execute(sight)).await?;
        Ok(())
    }

    /// The value of a JavaScript expression in the page; of a promise, what it resolves to.
    ///
    /// # Errors
    ///
    /// It throws an exception, or takes too long.
    pub async fn evaluate(&self, script: &str) -> Result<Value, Error> {
        let mut params = EvaluateParams::new(script);
        params.await_promise = Some(true);
        params.return_by_value = Some(true);
        params.user_gesture = Some(false);
        let answer = within("run a script", self.tab.execute(params)).await?.result;
        if let Some(details) = &answer.exception_details {
            return Err(Error::Script {
                script: script.chars().take(200).collect(),
                exception: exception_text(details),
            });
        }
        Ok(answer.result.value.unwrap_or_default())
    }

    /// Waits until a JavaScript expression is true in the page.
    ///
    /// # Errors
    ///
    /// It is not true until the deadline.
    pub async fn wait_until(&self, script: &str) -> Result<(), Error> {
        let check = format!("!!({script})");
        self.poll(&format!("`{script}`"), async || {
            let now = self.evaluate(&check).await?;
            Ok(if now == Value::Bool(true) {
                Ok(())
            } else {
                Err("it is not true".to_owned())
            })
        })
        .await
    }

    /// Waits until something visible matches the CSS selector.
    ///
    /// # Errors
    ///
    /// Nothing does until the deadline.
    pub async fn wait_for(&self, selector: &str) -> Result<(), Error> {
        let selector = quoted(selector);
        self.wait_until(&format!(
            "[...document.querySelectorAll({selector})].some((element) => \
             element.getClientRects().length > 0 && element.checkVisibility({{ visibilityProperty: true }}))"
        ))
        .await
    }

    /// Waits until the page shows this text somewhere.
    ///
    /// # Errors
    ///
    /// It does not until the deadline.
    pub async fn wait_for_text(&self, text: &str) -> Result<(), Error> {
        self.poll(&format!("the text {text:?}"), async || {
            let shown = self.evaluate("document.body?.innerText ?? ''").await?;
            let shown = shown.as_str().unwrap_or_default();
            Ok(if shown.contains(text) {
                Ok(())
            } else {
                Err(format!("the page shows:\n{shown}"))
            })
        })
        .await
    }

    /// The visible text of the first element that matches, as soon as there is one.
    ///
    /// # Errors
    ///
    /// Nothing matches until the deadline.
    pub async fn text(&self, selector: &str) -> Result<String, Error> {
        let script = format!("document.querySelector({})?.innerText ?? null", quoted(selector));
        self.poll(&format!("an element that matches {selector:?}"), async || {
            let text = self.evaluate(&script).await?;
            Ok(text
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| "there is none".to_owned()))
        })
        .await
    }

    /// Takes a picture of the whole page, also of what one would have to scroll to, as PNG.
    ///
    /// [`artifact_path`](crate::artifact_path) is the place for pictures that are kept.
    ///
    /// # Errors
    ///
    /// The browser takes none, or the file cannot be written.
    pub async fn screenshot(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let layout = within("measure the page", self.tab.layout_metrics()).await?;
        let size = layout.css_content_size;
        let clip = Viewport {
            x: 0.0,
            y: 0.0,
            width: size.width,
            height: size.height,
            scale: 1.0,
        };
        let params = CaptureScreenshotParams::builder()
            .format(CaptureScreenshotFormat::Png)
            .capture_beyond_viewport(true)
            .clip(clip)
            .build();
        let picture = within("take a picture", self.tab.execute(params)).await?;
        let encoded: &[u8] = picture.result.data.as_ref();
        let decoded = STANDARD.decode(encoded).map_err(|error| Error::Browser {
            action: "take a picture".to_owned(),
            reason: error.to_string(),
        })?;
        let path = path.as_ref();
        std::fs::write(path, decoded).map_err(|source| Error::File {
            action: "write",
            path: path.to_owned(),
            source,
        })
    }

    /// Everything that the page did so far.
    ///
    /// What workers of the page and frames from other hosts do is not in it.
    ///
    /// # Errors
    ///
    /// The browser does not answer, or said something that cannot be read.
    pub async fn report(&mut self) -> Result<Report, Error> {
        let report = self.events.report(&self.tab).await?;
        self.unreadable.check()?;
        Ok(report)
    }

    /// Closes the tab.
    ///
    /// # Errors
    ///
    /// The browser does not answer.
    pub async fn close(self) -> Result<(), Error> {
        within("close the tab", self.tab.close()).await
    }

    /// Looks until there is a value instead of a reason why there is none.
    pub(super) async fn poll<T>(
        &self,
        what: &str,
        look: impl AsyncFn() -> Result<Result<T, String>, Error>,
    ) -> Result<T, Error> {
        let ends = Instant::now() + self.patience;
        loop {
            let seen = match look().await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(reason)) => reason,
                // A script that a new page interrupts fails with the old one.
                Err(error @ (Error::Browser { .. } | Error::Script { .. })) => error.to_string(),
                Err(error) => return Err(error),
            };
            if Instant::now() >= ends {
                return Err(Error::Deadline {
                    what: what.to_owned(),
                    after: self.patience,
                    seen,
                });
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}
