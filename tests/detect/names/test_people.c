/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/people.h"

#include "finder.h"

static void check(const char *text, const char *want)
{
    check_found(sotto_names_people, text, want);
}

static void test_found(void)
{
    check("I am Kenyan and live in Rome.", "Kenyan");
    check("I'm a Muslim, she is Jewish.", "Muslim,Jewish");
    check("i am also polish", "polish");
    check("As a Mexican I do not agree.", "Mexican");
    check("My wife is Dutch.", "Dutch");
    check("Anna was a devout Catholic.", "Catholic");
    check("He met his Swedish wife there.", "Swedish");
    check("She has a Nigerian passport.", "Nigerian");
    check("A man of Greek descent called.", "Greek");
    check("Nationality: Swiss\nReligion: Hindu", "Swiss,Hindu");
}

static void test_left_alone(void)
{
    check("", "");
    check("We ate at a German restaurant.", "");
    check("American football is a game.", "");
    check("The Dutch and the Belgians won.", "");
    check("The car is German.", "");
    check("It is as Italian as pizza.", "");
    check("Is French hard to learn?", "");
    check("Kenyan", "");
}

int main(void)
{
    test_found();
    test_left_alone();
    check_failed_allocation(sotto_names_people, "I am Kenyan.");
    return done_testing();
}
