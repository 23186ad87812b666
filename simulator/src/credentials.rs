//! Writes the credential files that an administrator would download from Google's cloud console.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use google_admin_simulator::{Simulator, auth};

/// The files of one customer.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) customer_id: String,
    pub(crate) service_account: PathBuf,
    pub(crate) client_secret: PathBuf,
}

/// Writes the files of every customer: the first one's into the folder itself, the others' into folders named
/// like their domains.
pub(crate) fn write(simulator: &Simulator, url: &str, folder: Option<&Path>) -> anyhow::Result<Vec<Written>> {
    let Some(folder) = folder else {
        return Ok(Vec::new());
    };
    let tenants = simulator.tenants();
    let write_one = |(index, tenant): (usize, &std::sync::Arc<google_admin_simulator::tenant::Tenant>)| {
        let folder = if index == 0 {
            folder.to_path_buf()
        } else {
            folder.join(tenant.domain())
        };
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let customer_id = tenant.customer_id().to_owned();
        let service_account = folder.join("service-account.json");
        let client_secret = folder.join("client_secret.json");
        let state = simulator.state();
        write_secret(
            &service_account,
            &auth::service_account_json(state, url, &customer_id)?,
        )?;
        write_secret(
            &client_secret,
            &auth::client_secret_json(state, url, &customer_id)?,
        )?;
        Ok(Written {
            customer_id,
            service_account,
            client_secret,
        })
    };
    tenants.iter().enumerate().map(write_one).collect()
}

/// Writes a file that only its owner can read, whole or not at all.
fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    let draft = path.with_extension("json.new");
    let failed = || format!("cannot write {}", path.display());
    // A draft left behind by a crash may have other permissions.
    if draft.exists() {
        fs::remove_file(&draft).with_context(failed)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .with_context(failed)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(failed)?;
    fs::rename(&draft, path).with_context(failed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn secrets_are_readable_by_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("service-account.json");
        fs::write(&path, "old").unwrap();
        write_secret(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
