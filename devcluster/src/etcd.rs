//! How etcd is started.

use crate::home::Home;

/// The arguments of etcd.
///
/// It listens on Unix sockets in a folder that only this user may enter: etcd has no passwords
/// here, and a TCP port would open the whole cluster, secrets included, to every user of the machine.
pub(crate) fn arguments(home: &Home, more: &[String]) -> Vec<String> {
    let client = home.etcd_url();
    let peer = format!("unix://{}", home.path("peer.sock").display());
    let mut arguments = vec![
        "--name=devcluster".to_owned(),
        format!("--data-dir={}", home.path("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=devcluster={peer}"),
        // The data need not survive a power cut, and writing is several times faster.
        "--unsafe-no-fsync".to_owned(),
        // The default of 2 GiB ends at some hundred thousand objects.
        "--quota-backend-bytes=8589934592".to_owned(),
        "--enable-grpc-gateway=false".to_owned(),
        "--log-level=warn".to_owned(),
    ];
    arguments.extend_from_slice(more);
    arguments
}
