//! Opening a browser, where there is one.

use std::env;

use crate::terminal::say;

/// Says which address to open, and opens it if a browser is at hand. The address holds a ticket that works once, and nothing
/// that Google gave or gets.
pub(super) async fn open(address: &str, port: u16, wanted: bool) {
    if wanted && is_at_hand() {
        let target = address.to_owned();
        // The library starts a program and waits for it a little.
        let opened = tokio::task::spawn_blocking(move || webbrowser::open(&target)).await;
        if matches!(opened, Ok(Ok(()))) {
            say(&format!(
                "Your browser opens. If it does not, open this address on this computer:\n  {address}"
            ));
            return;
        }
    }
    say(&format!(
        "Open this address in a browser on this computer:\n  {address}"
    ));
    if is_remote() {
        say(&format!(
            "If your browser is on another computer, forward the port there first: `ssh -L {port}:127.0.0.1:{port} HOST`."
        ));
    }
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn is_remote() -> bool {
    is_set("SSH_CONNECTION") || is_set("SSH_TTY")
}

/// A browser that would open on a far computer, or inside of this terminal, is of no use.
fn is_at_hand() -> bool {
    let screen = !cfg!(target_os = "linux") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    is_set("BROWSER") || (screen && !is_remote())
}
