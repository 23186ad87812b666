//! What people can try while the demo stays up.

use std::env;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use chrome_enterprise_operator::api::action::ActionType;
use jiff::Timestamp;

use crate::actions::{LOST, manifest};
use crate::setup::{CONNECTION, NAMESPACE};

/// What the commands are about.
#[derive(Debug)]
pub(crate) struct Invitation<'a> {
    /// File with the administrator's kubeconfig.
    pub(crate) kubeconfig: &'a Path,
    /// Where the simulated Google is.
    pub(crate) google_url: &'a str,
    /// Google's ID of the customer.
    pub(crate) customer_id: &'a str,
    /// The device that the actions were for.
    pub(crate) serial_number: &'a str,
    /// Until when another action may be sent.
    pub(crate) not_after: Timestamp,
    /// File with the operator's log.
    pub(crate) operator_log: &'a Path,
    /// Folder of the project's programs.
    pub(crate) programs: &'a Path,
    /// Whether kubectl is on `PATH`.
    pub(crate) kubectl: bool,
}

impl Invitation<'_> {
    /// Lines for people.
    pub(crate) fn text(&self) -> String {
        let kubectl = if self.kubectl {
            ""
        } else {
            "\n  # kubectl is not on PATH; this builds one:\n  \
             export PATH=\"$PATH:$(cargo run -p devcluster -- assets --with kubectl)\"\n"
        };
        format!(
            include_str!("invitation.txt"),
            kubectl = kubectl,
            kubeconfig = self.kubeconfig.display(),
            namespace = NAMESPACE,
            connection = CONNECTION,
            google = self.google_url,
            customer = self.customer_id,
            log = self.operator_log.display(),
            lost = LOST,
            programs = self.programs.display(),
            serial = self.serial_number,
            action = manifest(
                "restart-2",
                ActionType::Restart,
                self.serial_number,
                self.not_after
            ),
        )
    }
}

/// Whether a program of this name is on `PATH`.
pub(crate) fn is_on_path(name: &str) -> bool {
    is_in(name, env::var_os("PATH").unwrap_or_default().as_os_str())
}

fn is_in(name: &str, path: &OsStr) -> bool {
    env::split_paths(path)
        .map(|folder| folder.join(name))
        .any(|file| {
            file.metadata()
                .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(is_in("sh", OsStr::new("/nowhere:/bin:/usr/bin")));
        assert!(!is_in("sh", OsStr::new("/nowhere")));
        assert!(!is_in("passwd", OsStr::new("/etc")), "a plain file is no program");
    }

    #[test]
    fn whoever_lacks_kubectl_is_told() {
        let mut invitation = Invitation {
            kubeconfig: Path::new("/run/demo/kubeconfig"),
            google_url: "http://127.0.0.1:1",
            customer_id: "C0abcdefg",
            serial_number: "5CD1",
            not_after: "2026-03-02T10:00:00Z".parse().unwrap(),
            operator_log: Path::new("/run/demo/operator.log"),
            programs: Path::new("/opt/programs"),
            kubectl: true,
        };
        assert!(
            invitation
                .text()
                .contains("export KUBECONFIG=/run/demo/kubeconfig")
        );
        assert!(invitation.text().contains(r#"export PATH="/opt/programs:$PATH""#));
        assert!(!invitation.text().contains("not on PATH"));
        assert!(invitation.text().contains(r#""serialNumber":"5CD1""#));
        invitation.kubectl = false;
        assert!(invitation.text().contains("--with kubectl"));
    }
}
