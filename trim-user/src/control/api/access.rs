//! Who may use the socket.

use super::ApiError;
use super::peer::Peer;

/// Where groups are listed (group(5)).
const GROUPS: &str = "/etc/group";

/// Who may use the socket: root, the daemon's own user, and the members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    owner: u32,
    group: Option<u32>,
}

impl Access {
    /// For a daemon of this process's user; `group` is a name in `/etc/group`, or a number.
    ///
    /// # Errors
    /// When there is no such group.
    pub fn new(group: Option<&str>) -> Result<Self, ApiError> {
        let groups = std::fs::read_to_string(GROUPS).unwrap_or_default();
        let number = |name: &str| number(name, &groups).ok_or_else(|| ApiError::NoGroup(name.to_owned()));
        Ok(Self {
            owner: rustix::process::geteuid().as_raw(),
            group: group.map(number).transpose()?,
        })
    }

    /// The number of the group, if there is one.
    pub(super) const fn group(&self) -> Option<u32> {
        self.group
    }

    /// Whether this peer may ask anything. One that the kernel says nothing about may not.
    pub(super) fn admits(&self, peer: &Peer) -> bool {
        let is_user = peer.user.is_some_and(|user| user == 0 || user == self.owner);
        is_user || self.group.is_some_and(|group| peer.groups.contains(&group))
    }
}

/// The number of a group, by its name in group(5) or by itself.
fn number(name: &str, groups: &str) -> Option<u32> {
    let mut lines = groups.lines().map(|line| line.split(':'));
    let listed = lines.find_map(|mut fields| (fields.next() == Some(name)).then(|| fields.nth(1)).flatten());
    listed.unwrap_or(name).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(user: Option<u32>, groups: &[u32]) -> Peer {
        Peer {
            user,
            process: None,
            groups: groups.to_vec(),
        }
    }

    #[test]
    fn root_the_owner_and_members_are_admitted_and_nobody_else() {
        let access = Access {
            owner: 500,
            group: Some(70),
        };
        assert!(access.admits(&peer(Some(0), &[])));
        assert!(access.admits(&peer(Some(500), &[])));
        assert!(access.admits(&peer(Some(501), &[1, 70])));
        assert!(!access.admits(&peer(Some(501), &[1, 500])));
        assert!(!access.admits(&peer(None, &[])));
        let alone = Access { group: None, ..access };
        assert!(!alone.admits(&peer(Some(501), &[0, 70])));
    }

    #[test]
    fn groups_are_found_by_name_and_by_number() {
        let groups = "root:x:0:\ncapture:x:70:anna,ben\n";
        assert_eq!(number("capture", groups), Some(70));
        assert_eq!(number("71", groups), Some(71));
        assert_eq!(number("captur", groups), None);
        assert_eq!(
            Access::new(Some("no such group")).unwrap_err().to_string(),
            "there is no group `no such group` in /etc/group: `control.group` names one that is there"
        );
    }
}
