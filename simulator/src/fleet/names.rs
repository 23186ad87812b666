//! Invented names of places and people. None belongs to a real school or pupil.

use crate::random::Draw;

/// Districts of a customer.
pub(crate) const DISTRICTS: [&str; 16] = [
    "North District",
    "South District",
    "East District",
    "West District",
    "Harbour District",
    "Hill District",
    "Lake District",
    "Forest District",
    "River District",
    "Valley District",
    "Central District",
    "Island District",
    "Meadow District",
    "Mountain District",
    "Garden District",
    "Old Town District",
];

const SCHOOL_FIRST: [&str; 24] = [
    "Elm Street",
    "Oakwood",
    "Maple Grove",
    "Riverside",
    "Hillcrest",
    "Lakeview",
    "Cedar Park",
    "Birch Lane",
    "Sunnyside",
    "Westfield",
    "Eastgate",
    "Northbrook",
    "Southmoor",
    "Fairview",
    "Greenfield",
    "Stonebridge",
    "Willow Creek",
    "Kingfisher",
    "Heron Bay",
    "Pinecrest",
    "Ashford",
    "Meadowbrook",
    "Foxglove",
    "Saint Brendan",
];

const SCHOOL_LAST: [&str; 6] = [
    "Primary School",
    "Elementary School",
    "Middle School",
    "High School",
    "Academy",
    "Community School",
];

const GIVEN: [&str; 40] = [
    "Ada", "Ben", "Chloé", "David", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Karin", "Liam",
    "Mei", "Noah", "Olga", "Pedro", "Quinn", "Rosa", "Samir", "Tove", "Uma", "Viktor", "Wanda", "Ximena",
    "Yusuf", "Zoë", "Amara", "Bruno", "Clara", "Diego", "Emil", "Freya", "Gita", "Hana", "Ivo", "Jana",
    "Kofi", "Lena", "Milan", "Nora",
];

const FAMILY: [&str; 40] = [
    "Abel", "Berg", "Costa", "Dahl", "Evans", "Fischer", "Garcia", "Haddad", "Ito", "Jensen", "Kaya",
    "Lopez", "Müller", "Nagy", "Okafor", "Park", "Quist", "Rossi", "Silva", "Tanaka", "Urban", "Varga",
    "Weber", "Xu", "Young", "Zimmer", "Arnold", "Brandt", "Carver", "Dvorak", "Engel", "Frost", "Grant",
    "Holm", "Ivanov", "Jonker", "Klein", "Lund", "Moreau", "Novak",
];

const NOTES: [&str; 12] = [
    "Screen replaced",
    "Keyboard: key E sticks",
    "Spare device for the library",
    "Loan until the end of term",
    "Battery swollen, sent to repair",
    "Écran remplacé le 3 mai",
    "Charger missing",
    "Hinge cracked, still usable",
    "Returned by parent",
    "Camera covered on request",
    "Second repair this year",
    "Donated by the parents' association",
];

/// The name of the school with this number; different for each of the first 144, numbered after that.
pub(crate) fn school(number: usize) -> String {
    let combinations = SCHOOL_FIRST.len() * SCHOOL_LAST.len();
    // 25 is coprime to 24 and steps through the first names before it repeats one.
    let index = number % combinations;
    let name = format!(
        "{} {}",
        SCHOOL_FIRST[index % SCHOOL_FIRST.len()],
        SCHOOL_LAST[(index / SCHOOL_FIRST.len() + index) % SCHOOL_LAST.len()]
    );
    match number / combinations {
        0 => name,
        round => format!("{name} {}", round + 1),
    }
}

/// First and last name.
pub(crate) fn person(draw: Draw) -> (&'static str, &'static str) {
    (*draw.of("given").pick(&GIVEN), *draw.of("family").pick(&FAMILY))
}

/// The address of an invented account of the domain: `ada.abel.417@school.example`.
pub(crate) fn account(draw: Draw, domain: &str) -> String {
    let (given, family) = person(draw);
    format!(
        "{}.{}.{}@{domain}",
        plain(given),
        plain(family),
        draw.of("number").between(100, 999)
    )
}

/// A remark that an administrator left on a device.
pub(crate) fn note(draw: Draw) -> &'static str {
    draw.pick::<&str>(&NOTES)
}

/// The name in the letters that an address may have.
fn plain(name: &str) -> String {
    name.chars()
        .map(|letter| match letter.to_lowercase().next().unwrap_or(letter) {
            'é' | 'ë' => 'e',
            'ü' => 'u',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn schools_have_different_names() {
        let names: BTreeSet<String> = (0..500).map(school).collect();
        assert_eq!(names.len(), 500);
    }

    #[test]
    fn addresses_are_plain() {
        for index in 0..500 {
            let address = account(Draw::new(index), "school.example");
            assert!(address.is_ascii(), "{address}");
        }
    }
}
