/* SPDX-License-Identifier: Apache-2.0 */

/* Text and what the layer of names finds in it; included by test_names.c.  The people are made up. */

/* clang-format off */

/* English */
{"Patient Jane Doe was seen by Dr. Robert Miller.", "PERSON:Jane Doe|PERSON:Robert Miller"},
{"My name is Will Turner.", "PERSON:Will Turner"},
{"Will you mark the date in May?", ""},
{"Dear Sarah,\nthank you.\nBest regards,\nMichael Brown", "PERSON:Sarah|PERSON:Michael Brown"},
{"From: Anna Schmidt <a@example.org>", "PERSON:Anna Schmidt"},
{"Name: SMITH, JOHN", "PERSON:SMITH, JOHN"},
{"J. R. Smith and Mary-Ann O'Brien", "PERSON:J. R. Smith|PERSON:Mary-Ann O'Brien"},
{"Martin Luther King Jr. spoke.", "PERSON:Martin Luther King Jr"},
{"Sarah's mother called.", "PERSON:Sarah"},
{"He was diagnosed with Crohn's disease and Parkinson disease.", ""},
{"Glasgow Coma Scale 15, Apgar score 9, Hodgkin lymphoma", ""},
{"She lives in Berlin, Germany.", "LOCATION:Berlin|LOCATION:Germany"},
{"seen at Methodist Hospital last week", "ORG:Methodist Hospital"},
{"He works for Acme Widgets Inc. in Denver", "ORG:Acme Widgets Inc|LOCATION:Denver"},
{"import Jackson; foo.Smith = johnSmith()", ""},
{"Anna\xe2\x80\x8b Mei\xe2\x80\x8b"
 "er called", "PERSON:Anna\xe2\x80\x8b Mei\xe2\x80\x8b"
 "er"},
/* German */
{"Frau von der Leyen wohnt in Bern.", "PERSON:von der Leyen|LOCATION:Bern"},
{"Herr Dr. Peter M\xc3\xbcller-Schmidt kam am Montag.", "PERSON:Peter M\xc3\xbcller-Schmidt"},
{"Ich hei\xc3\x9f"
 "e Lukas Weber und arbeite im Haus.", "PERSON:Lukas Weber"},
{"Die Wohnung im Haus hat der Vater mit der Mutter gekauft.", ""},
{"Mit freundlichen Gr\xc3\xbc\xc3\x9f"
 "en\nKatrin Vogel", "PERSON:Katrin Vogel"},
{"Die M\xc3\xbcller Maschinenbau GmbH liefert.", "ORG:M\xc3\xbcller Maschinenbau GmbH"},
/* French */
{"Je m'appelle Claire Dubois.", "PERSON:Claire Dubois"},
{"Mme Lef\xc3\xa8vre est n\xc3\xa9"
 "e \xc3\xa0 Lyon.", "PERSON:Lef\xc3\xa8vre|LOCATION:Lyon"},
{"La maladie de Crohn est une maladie.", ""},
{"La soci\xc3\xa9t\xc3\xa9 et MM. Xqrtson et Xqrtal ont form\xc3\xa9 un pourvoi.", "PERSON:Xqrtson"},
/* Spanish */
{"Me llamo Jos\xc3\xa9 Garc\xc3\xad"
 "a L\xc3\xb3pez.", "PERSON:Jos\xc3\xa9 Garc\xc3\xad"
 "a L\xc3\xb3pez"},
{"El Dr. Carlos de la Fuente lo trat\xc3\xb3.", "PERSON:Carlos de la Fuente"},
/* Italian */
{"Mi chiamo Giulia Rossi e abito a Milano.", "PERSON:Giulia Rossi|LOCATION:Milano"},
{"La Sig.ra Bianchi ha chiamato.", "PERSON:Bianchi"},
{"Cos\xc3\xac la scrittrice Xqrtina Xqrtaldi ha detto che non era vero.", "PERSON:Xqrtina Xqrtaldi"},
/* what somebody is, in German compounds */
{"Wie Planungsminister Xqrtsen sagte, wird die neue Stra\xc3\x9f"
 "e gebaut.",
 "PERSON:Xqrtsen"},
{"Wie Bundesbankchefin Xqrtsen sagte, wird die neue Stra\xc3\x9f"
 "e gebaut.",
 "PERSON:Xqrtsen"},
{"Wie Altmeister Xqrtsen sagte, wird die neue Stra\xc3\x9f"
 "e gebaut.",
 "PERSON:Xqrtsen"},
/* lower case */
{"call emma and tell peter schneider", "PERSON:emma|PERSON:peter schneider"},
{"will it rain in may", ""},
