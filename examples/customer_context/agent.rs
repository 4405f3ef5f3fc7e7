//! Who asks for a context.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Agent {
    Support,
    Billing,
    Sales,
}

impl Agent {
    pub(crate) const ALL: [Self; 3] = [Self::Support, Self::Billing, Self::Sales];
}

/// As it stands in keys, tags and paths.
impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Support => "support",
            Self::Billing => "billing",
            Self::Sales => "sales",
        })
    }
}

impl FromStr for Agent {
    type Err = UnknownAgent;

    fn from_str(text: &str) -> Result<Self, UnknownAgent> {
        let named = Self::ALL.into_iter().find(|agent| agent.to_string() == text);
        named.ok_or_else(|| UnknownAgent(text.to_owned()))
    }
}

#[derive(Debug)]
pub(crate) struct UnknownAgent(String);

impl fmt::Display for UnknownAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = Agent::ALL.map(|agent| agent.to_string()).join(", ");
        write!(f, "there is no agent {:?}; take one of {all}", self.0)
    }
}
