//! The programs that devcluster knows, and the Go modules that they are built from.

use std::fmt;

/// A program of a development cluster.
///
/// [`Assets::ensure`](crate::Assets::ensure) finds or builds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Program {
    /// The database behind the API server.
    Etcd,
    /// The API server.
    KubeApiserver,
    /// The controllers, of which devcluster runs those that end namespaces and owned objects.
    KubeControllerManager,
    /// The command line client. No cluster needs it, people do.
    Kubectl,
}

impl Program {
    /// Every program, in the order in which they start.
    pub const ALL: [Self; 4] = [
        Self::Etcd,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::Kubectl,
    ];

    /// The name of its file, as in `KUBEBUILDER_ASSETS` and on `PATH`.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
        }
    }

    /// The program with that file name.
    #[must_use]
    pub fn from_file_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|program| program.file_name() == name)
    }

    /// The Go package whose `main` it is.
    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3",
            Self::KubeApiserver => "k8s.io/kubernetes/cmd/kube-apiserver",
            Self::KubeControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
            Self::Kubectl => "k8s.io/kubernetes/cmd/kubectl",
        }
    }

    /// The module that pins everything that it is built from.
    pub(crate) fn module(self) -> &'static Module {
        match self {
            Self::Etcd => &ETCD,
            Self::KubeApiserver | Self::KubeControllerManager | Self::Kubectl => &KUBERNETES,
        }
    }

    /// The oldest (major, minor) that is taken from `PATH`; `None`: any.
    ///
    /// A system package may be years old, and a server without the flags and API versions that
    /// are needed fails in ways that are hard to read. `KUBEBUILDER_ASSETS` is a deliberate choice
    /// and is not checked. kubectl talks to far newer and older servers well enough.
    pub(crate) fn oldest_on_path(self) -> Option<(u32, u32)> {
        match self {
            Self::Etcd => Some((3, 6)),
            Self::KubeApiserver | Self::KubeControllerManager => Some((1, 36)),
            Self::Kubectl => None,
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.file_name())
    }
}

/// A `go.mod` and `go.sum` that are part of this crate, so that an installed devcluster can build
/// without a checkout of the project.
#[derive(Debug)]
pub(crate) struct Module {
    /// Short name, for folders and messages.
    pub(crate) name: &'static str,
    /// The path of the one requirement that decides the version.
    pub(crate) requirement: &'static str,
    pub(crate) go_mod: &'static str,
    pub(crate) go_sum: &'static str,
    /// Whether the version must be stamped into the program by the linker: Kubernetes reports
    /// `v0.0.0-master` otherwise, and clients that compare versions stumble over it.
    stamped: bool,
}

static ETCD: Module = Module {
    name: "etcd",
    requirement: "go.etcd.io/etcd/server/v3",
    go_mod: include_str!("../assets/etcd/go.mod"),
    go_sum: include_str!("../assets/etcd/go.sum"),
    stamped: false,
};

static KUBERNETES: Module = Module {
    name: "kubernetes",
    requirement: "k8s.io/kubernetes",
    go_mod: include_str!("../assets/kubernetes/go.mod"),
    go_sum: include_str!("../assets/kubernetes/go.sum"),
    stamped: true,
};

impl Module {
    /// The version that `go.mod` requires, as in `v1.37.2`. The file is the only place that names it.
    pub(crate) fn version(&self) -> &'static str {
        self.word_after(self.requirement)
    }

    /// The oldest Go that can build it, as in `1.26.0`.
    pub(crate) fn go_version(&self) -> &'static str {
        self.word_after("go")
    }

    /// What the linker is told: no symbol tables (a third of the size), and the version.
    pub(crate) fn linker_flags(&self) -> String {
        let mut flags = String::from("-s -w");
        if self.stamped {
            let version = self.version();
            let mut numbers = version.trim_start_matches('v').split('.');
            let (major, minor) = (numbers.next().unwrap_or(""), numbers.next().unwrap_or(""));
            for (name, value) in [("gitVersion", version), ("gitMajor", major), ("gitMinor", minor)] {
                flags.push_str(" -X k8s.io/component-base/version.");
                flags.push_str(name);
                flags.push('=');
                flags.push_str(value);
            }
        }
        flags
    }

    /// The word that follows `word` at the start of a line (or of a `require` line) of `go.mod`.
    fn word_after(&self, word: &str) -> &'static str {
        self.go_mod
            .lines()
            .find_map(|line| {
                let mut words = line.split_whitespace().filter(|found| *found != "require");
                (words.next() == Some(word)).then(|| words.next()).flatten()
            })
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_module_files() {
        for program in Program::ALL {
            let module = program.module();
            assert!(
                module.version().starts_with('v'),
                "{program}: {:?}",
                module.version()
            );
            assert!(
                module.go_version().starts_with("1."),
                "{program}: {:?}",
                module.go_version()
            );
            assert!(
                module.go_sum.contains(module.version()),
                "{program}: go.sum is of another version"
            );
            assert!(
                module.go_mod.contains(program.package()),
                "{program}: go.mod has no tool line for it"
            );
        }
    }

    #[test]
    fn staging_modules_belong_to_the_release() {
        let release = KUBERNETES.version().trim_start_matches("v1.");
        let replaced: Vec<&str> = KUBERNETES
            .go_mod
            .lines()
            .filter(|line| line.contains("=>"))
            .collect();
        assert!(replaced.len() > 30, "only {} replacements", replaced.len());
        for line in replaced {
            assert!(line.ends_with(&format!(" v0.{release}")), "{line}");
        }
    }

    #[test]
    fn kubernetes_is_stamped_and_etcd_is_not() {
        let flags = KUBERNETES.linker_flags();
        assert!(
            flags.contains(&format!("version.gitVersion={}", KUBERNETES.version())),
            "{flags}"
        );
        assert!(flags.contains("version.gitMajor=1 "), "{flags}");
        assert_eq!(ETCD.linker_flags(), "-s -w");
    }

    #[test]
    fn names_lead_back_to_programs() {
        for program in Program::ALL {
            assert_eq!(Program::from_file_name(program.file_name()), Some(program));
        }
        assert_eq!(Program::from_file_name("kubelet"), None);
    }
}
