use super::*;

fn quiet(_: &mut World, _: &str, _: &str, _: &str) {}

fn world(weather: Weather) -> World {
    World::new("aws", "eu-central-1", 1, weather)
}

#[test]
fn what_is_due_happens_in_order_and_not_before() {
    let mut world = world(Weather::calm());
    world.add(Thing::new("nat", "n"));
    let state = |text: &str| Change::Set(Map::from_iter([("state".to_owned(), text.into())]));
    world.later(200, "nat", "n", state("available"));
    world.later(100, "nat", "n", state("pending"));
    world.pass(150, quiet);
    assert_eq!(world.get("nat", "n").map(|nat| nat.text("state")), Some("pending"));
    world.pass(200, quiet);
    assert_eq!(world.get("nat", "n").map(|nat| nat.text("state")), Some("available"));
}

#[test]
fn a_new_thing_exists_before_every_read_knows_it() {
    let mut world = world(Weather { lag_p50_ms: 1000, lag_max_ms: 1000, flap: 0.0, ..Weather::default() });
    world.add(Thing::new("vpc", "v"));
    world.get_mut("vpc", "v").expect("it is there").seen_from = 500;
    assert!(world.get("vpc", "v").is_some() && !world.knows("vpc", "v") && world.listed("vpc").is_empty());
    world.pass(500, quiet);
    assert!(world.knows("vpc", "v") && world.listed("vpc").len() == 1);
}

#[test]
fn a_name_that_is_taken_again_is_not_forgotten_with_its_first_bearer() {
    let mut world = world(Weather { lag_p50_ms: 1000, lag_max_ms: 1000, ..Weather::default() });
    world.add(Thing::new("role", "r"));
    world.delete("role", "r");
    world.add(Thing::new("role", "r"));
    world.pass(5000, quiet);
    assert!(world.get("role", "r").is_some());
}

#[test]
fn a_path_walks_through_lists() {
    let mut thing = Thing::new("volume", "v");
    thing.set("attachmentSet", serde_json::json!([{ "instanceId": "i-1" }, { "instanceId": "i-2" }]));
    assert_eq!(thing.at("attachmentSet.instanceId"), ["i-1", "i-2"]);
}
