//! Walks through the pages of a list that nobody changes.

use proptest::prelude::*;

use super::check::{Walker, Way};
use super::filters::sketches;
use super::model::ORDERS;
use super::one_in;
use super::world::{World, steps};

proptest! {
    #![proptest_config(one_in(4))]

    #[test]
    fn a_walk_through_pages_of_any_size_there_and_back_gives_the_whole_list_both_times(
        steps in steps(),
        sketch in sketches(),
        limits in prop::collection::vec(1..6_u32, 1..8),
    ) {
        let world = World::new(&steps);
        for order in ORDERS {
            let asked = sketch.on(&world.model).in_order(order);
            let whole: Vec<_> = world.model.list(&asked).iter().map(|row| row.id).collect();
            let mut limits = limits.iter().copied().cycle();
            let (mut walker, mut there) = Walker::begin(&world, &asked, limits.next().unwrap()).unwrap();
            let mut last = there.clone();
            while walker.has(Way::Next) {
                last = walker.go(&world, Way::Next, limits.next().unwrap()).unwrap();
                there.extend(&last);
            }
            prop_assert_eq!(&there, &whole, "{:?}", asked);
            let mut back = last;
            while walker.has(Way::Previous) {
                let page = walker.go(&world, Way::Previous, limits.next().unwrap()).unwrap();
                back.splice(0..0, page);
            }
            prop_assert_eq!(&back, &whole, "{:?}", asked);
        }
    }

    #[test]
    fn every_page_of_a_walk_to_and_fro_is_a_slice_of_the_list(
        steps in steps(),
        sketch in sketches(),
        moves in prop::collection::vec((prop::bool::weighted(0.6), 1..5_u32), 1..25),
    ) {
        let world = World::new(&steps);
        for order in ORDERS {
            let asked = sketch.on(&world.model).in_order(order);
            let (mut walker, _) = Walker::begin(&world, &asked, 2).unwrap();
            for (forwards, limit) in &moves {
                let way = if *forwards { Way::Next } else { Way::Previous };
                let page = walker.go(&world, way, *limit);
                prop_assert!(page.is_ok(), "{:?}: {:?}", asked, page);
            }
        }
    }
}
