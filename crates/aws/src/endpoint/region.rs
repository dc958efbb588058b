//! Regions and the partitions that they belong to. Source: `partitions.json` of the public endpoint rule sets.

use std::fmt;

/// A group of regions with its own accounts, ARNs and host names.
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// The name in ARNs: `aws`, `aws-cn`.
    pub name: &'static str,
    /// The suffix of host names.
    pub dns_suffix: &'static str,
    /// The suffix of dual-stack host names.
    pub dual_stack_suffix: &'static str,
    /// What region names start with, before the direction.
    prefixes: &'static [&'static str],
    regions: &'static [&'static str],
}

/// Every partition.
pub(crate) const PARTITIONS: &[Partition] = &[
    Partition {
        name: "aws",
        dns_suffix: "amazonaws.com",
        dual_stack_suffix: "api.aws",
        prefixes: &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"],
        regions: &[
            "af-south-1",
            "ap-east-1",
            "ap-east-2",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-south-1",
            "ap-south-2",
            "ap-southeast-1",
            "ap-southeast-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-central-1",
            "ca-west-1",
            "eu-central-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "me-south-1",
            "me-west-1",
            "mx-central-1",
            "sa-east-1",
            "sa-west-1",
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
        ],
    },
    Partition {
        name: "aws-cn",
        dns_suffix: "amazonaws.com.cn",
        dual_stack_suffix: "api.amazonwebservices.com.cn",
        prefixes: &["cn"],
        regions: &["cn-north-1", "cn-northwest-1"],
    },
    Partition {
        name: "aws-us-gov",
        dns_suffix: "amazonaws.com",
        dual_stack_suffix: "api.aws",
        prefixes: &["us-gov"],
        regions: &["us-gov-east-1", "us-gov-west-1"],
    },
    Partition {
        name: "aws-eusc",
        dns_suffix: "amazonaws.eu",
        dual_stack_suffix: "api.amazonwebservices.eu",
        prefixes: &["eusc-de"],
        regions: &["eusc-de-east-1"],
    },
    Partition {
        name: "aws-iso",
        dns_suffix: "c2s.ic.gov",
        dual_stack_suffix: "api.aws.ic.gov",
        prefixes: &["us-iso"],
        regions: &["us-iso-east-1", "us-iso-west-1"],
    },
    Partition {
        name: "aws-iso-b",
        dns_suffix: "sc2s.sgov.gov",
        dual_stack_suffix: "api.aws.scloud",
        prefixes: &["us-isob"],
        regions: &["us-isob-east-1", "us-isob-west-1"],
    },
    Partition {
        name: "aws-iso-e",
        dns_suffix: "cloud.adc-e.uk",
        dual_stack_suffix: "api.cloud-aws.adc-e.uk",
        prefixes: &["eu-isoe"],
        regions: &["eu-isoe-west-1"],
    },
    Partition {
        name: "aws-iso-f",
        dns_suffix: "csp.hci.ic.gov",
        dual_stack_suffix: "api.aws.hci.ic.gov",
        prefixes: &["us-isof"],
        regions: &["us-isof-east-1", "us-isof-south-1"],
    },
];

/// The second part of every region's name so far. A name with another one is a typing error, not a new region.
const DIRECTIONS: &[&str] = &["north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest"];

/// How many names an error suggests.
const SUGGESTIONS_MAX: usize = 3;

/// A region whose name has been checked. Regions that are newer than this program are taken when their name has the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    name: String,
    partition: &'static Partition,
}

/// A name that is no region.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{given}\" is no AWS region; did you mean {}? Regions look like eu-west-1", .close.join(", "))]
pub struct RegionError {
    /// What was given.
    pub given: String,
    /// Known regions with a similar name.
    pub close: Vec<&'static str>,
}

impl Region {
    /// Takes a region's name.
    ///
    /// # Errors
    /// The name is neither known nor of the form of a region's name.
    pub fn parse(name: &str) -> Result<Self, RegionError> {
        let partition = PARTITIONS
            .iter()
            .find(|partition| partition.regions.contains(&name))
            .or_else(|| PARTITIONS.iter().find(|partition| partition.may_hold(name)));
        partition
            .map(|partition| Self { name: name.to_owned(), partition })
            .ok_or_else(|| RegionError { given: shown(name), close: closest(name) })
    }

    /// The name: `eu-west-1`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The partition.
    #[must_use]
    pub const fn partition(&self) -> &'static Partition {
        self.partition
    }

    /// Whether this version knows the region by name; the known ones that are closest if not.
    pub(crate) fn doubt(&self) -> Option<Vec<&'static str>> {
        (!self.partition.regions.contains(&self.name.as_str())).then(|| closest(&self.name))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Partition {
    fn may_hold(&self, name: &str) -> bool {
        let Some((rest, number)) = name.rsplit_once('-') else { return false };
        let Some((prefix, direction)) = rest.rsplit_once('-') else { return false };
        self.prefixes.contains(&prefix)
            && DIRECTIONS.contains(&direction)
            && (1..=2).contains(&number.len())
            && number.bytes().all(|digit| digit.is_ascii_digit())
    }
}

fn shown(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(60).collect()
}

fn closest(name: &str) -> Vec<&'static str> {
    let mut known: Vec<_> = PARTITIONS.iter().flat_map(|partition| partition.regions.iter().copied()).collect();
    let wanted: Vec<u8> = name.to_ascii_lowercase().into_bytes().into_iter().take(60).collect();
    known.sort_by_key(|region| distance(&wanted, region.as_bytes()));
    known.truncate(SUGGESTIONS_MAX);
    known
}

/// Levenshtein distance.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, byte) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for column in 0..right.len() {
            let replace = diagonal + usize::from(right[column] != *byte);
            diagonal = row[column + 1];
            row[column + 1] = replace.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_region_belongs_to_its_partition_by_form_too() {
        for partition in PARTITIONS {
            for region in partition.regions {
                assert!(partition.may_hold(region), "{region}");
                assert_eq!(Region::parse(region).unwrap().partition().name, partition.name);
            }
        }
    }

    #[test]
    fn a_new_region_of_a_known_form_is_taken() {
        let region = Region::parse("us-gov-central-1").unwrap();
        assert_eq!(region.partition().name, "aws-us-gov");
        assert!(region.doubt().is_some() && Region::parse("eu-west-1").unwrap().doubt().is_none());
    }

    #[test]
    fn a_mistyped_region_is_an_error_that_names_close_ones() {
        for (given, close) in
            [("eu-wets-1", "eu-west-1"), ("EU-WEST-1", "eu-west-1"), ("useast1", "us-east-1"), ("us-east-1a", "us-east-1")]
        {
            let error = Region::parse(given).unwrap_err();
            assert!(error.close.contains(&close), "{error}");
        }
        for wrong in ["", "-", "eu-west-", "eu-west-1/x", "eu-west-1.evil.example", "aws-global"] {
            assert!(Region::parse(wrong).is_err(), "{wrong}");
        }
    }
}
