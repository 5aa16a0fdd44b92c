"""Medical words without anybody in them, per language: what clinical notes consist of mostly."""

HEADINGS = {
    "en": "HPI|PMH|Past Medical History|Social History|Family History|Allergies|Medications|Review of Systems|Physical Exam|Assessment|Plan|"
          "Impression|Findings|Hospital Course|Disposition|Chief Complaint|Vital Signs|Labs|Imaging|Procedure|Indication|Technique|Comparison|Discharge Instructions",
    "de": "Anamnese|Eigenanamnese|Familienanamnese|Sozialanamnese|Diagnosen|Nebendiagnosen|Therapie|Verlauf|Befund|Körperlicher Untersuchungsbefund|"
          "Aufnahmebefund|Labor|EKG|Röntgen Thorax|Sonographie Abdomen|Echokardiographie|Histologie|Epikrise|Beurteilung|Empfehlung|Procedere|Medikation bei "
          "Entlassung|Allergien|Vegetative Anamnese|Operation|Zusammenfassung|Konsil|Prozedere|Entlassmedikation|Risikofaktoren|Klinischer Befund|Noxen",
    "fr": "Antécédents|Antécédents familiaux|Histoire de la maladie|Motif d'hospitalisation|Mode de vie|Examen clinique|Examens complémentaires|Biologie|"
          "Imagerie|ECG|Scanner thoracique|Échographie|Conclusion|Traitement de sortie|Évolution|Allergies|Au total|Compte rendu opératoire|Conduite à tenir|Anatomopathologie",
    "es": "Antecedentes|Antecedentes familiares|Enfermedad actual|Motivo de consulta|Exploración física|Pruebas complementarias|Analítica|Evolución|"
          "Juicio clínico|Tratamiento|Alergias|Radiografía de tórax|Ecografía|TAC|Anatomía patológica|Plan|Comentario",
    "it": "Anamnesi|Anamnesi familiare|Anamnesi patologica remota|Motivo del ricovero|Esame obiettivo|Esami di laboratorio|Decorso clinico|Diagnosi alla "
          "dimissione|Terapia domiciliare|Allergie|ECG|Ecografia addome|Radiografia del torace|Conclusioni|Consigli|Parametri vitali"}

FINDINGS = {
    "en": "chest pain radiating to the left arm|shortness of breath on exertion|lungs clear to auscultation bilaterally|regular rate and rhythm|no murmurs|soft and "
          "non-tender abdomen|trace pedal edema|type 2 diabetes mellitus|coronary artery disease|chronic kidney disease stage 3|status post appendectomy|"
          "ejection fraction was preserved|no acute intracranial abnormality|mild degenerative changes of the lumbar spine|left lower lobe consolidation|"
          "atrial fibrillation on anticoagulation|denies nausea or vomiting|alert and oriented|wound healing well|urinary tract infection|iron deficiency anemia|"
          "Framingham risk score|Chaddock reflex|Framingham Heart Study|Hoffmann sign|Trendelenburg gait|Ferriman-Gallwey score|Homan's sign|Kernig and Brudzinski signs|"
          "McBurney's point tenderness|Virchow's node|Cheyne-Stokes breathing|Osler nodes|Janeway lesions|Tinel and Phalen tests|CHADS2-VASc|MELD score|Beers criteria",
    "de": "arterielle Hypertonie|Diabetes mellitus Typ 2|koronare Herzkrankheit|Vorhofflimmern|Z. n. Appendektomie|Niereninsuffizienz Stadium III|Adipositas|chronisch "
          "obstruktive Lungenerkrankung|Pulmo frei, vesikuläres Atemgeräusch|Abdomen weich, kein Druckschmerz|Herztöne rein, rhythmisch|keine Ödeme|guter "
          "Allgemeinzustand und Ernährungszustand|kein Anhalt für Malignität|regelrechte Darstellung der Gallenblase|Leber homogen|Nieren beidseits ohne Stauung|"
          "Schilddrüse nicht vergrößert|Harnwegsinfekt|Eisenmangelanämie|unauffälliger Verlauf|komplikationslose Operation|Wundheilung per primam|Fäden ex am 10. Tag|"
          "mittelgradig differenziertes Adenokarzinom|pT2 N0 M0 G2 R0|Hemikolektomie rechts|Hüft-TEP links|Meniskusläsion|Oberschenkelhalsfraktur|Pneumonie links basal|"
          "Thrombose der Vena femoralis|Wiedervorstellung bei Beschwerden|Kostaufbau problemlos|Mobilisation an Unterarmgehstützen|Sinusrhythmus, Steiltyp|"
          "ASS 100 mg 1-0-0|Ramipril 5 mg 1-0-1|Pantoprazol 40 mg 0-0-1|Metoprolol 47,5 mg|Hausarzt|Stationsarzt|Oberarzt|Patientin|Der Patient|Ehemann|Die Ehefrau",
    "fr": "hypertension artérielle|diabète de type 2|cardiopathie ischémique|fibrillation auriculaire|insuffisance rénale chronique|dyspnée d'effort|douleur thoracique "
          "constrictive|abdomen souple, indolore|auscultation pulmonaire libre|bruits du cœur réguliers|pas de signe de phlébite|examen neurologique normal|"
          "pas d'argument pour une récidive|foie de taille normale|vésicule alithiasique|adénocarcinome moyennement différencié|apyrétique|bon état général|tabagisme "
          "sevré|prothèse totale de hanche|appendicectomie dans l'enfance|cholécystectomie|reprise du transit|cicatrisation satisfaisante|ablation des fils à dix jours|"
          "paracétamol 1 g|ramipril 5 mg|le patient|la patiente|son épouse|son mari|le médecin traitant|infection urinaire|anémie ferriprive|scanner sans injection",
    "es": "hipertensión arterial|diabetes mellitus tipo 2|cardiopatía isquémica|fibrilación auricular|insuficiencia renal crónica|disnea de esfuerzo|dolor torácico "
          "opresivo|abdomen blando y depresible|murmullo vesicular conservado|tonos cardíacos rítmicos|sin edemas|buen estado general|exfumador|apendicectomía|"
          "colecistectomía|adenocarcinoma moderadamente diferenciado|afebril|paracetamol 1 g cada 8 horas|el paciente|la paciente|su esposa|su marido|el médico de cabecera|"
          "infección urinaria|anemia ferropénica|prótesis total de cadera|sin alteraciones significativas|acude a urgencias|consciente y orientado",
    "it": "ipertensione arteriosa|diabete mellito di tipo 2|cardiopatia ischemica|fibrillazione atriale|insufficienza renale cronica|dispnea da sforzo|dolore toracico "
          "oppressivo|addome trattabile, non dolente|murmure vescicolare presente|toni cardiaci ritmici|non edemi declivi|buone condizioni generali|ex fumatore|"
          "appendicectomia|colecistectomia|adenocarcinoma moderatamente differenziato|apiretico|paracetamolo 1 g al bisogno|il paziente|la paziente|la moglie|il marito|"
          "il medico curante|infezione delle vie urinarie|anemia sideropenica|protesi totale d'anca|senza alterazioni di rilievo|vigile e orientato|decorso regolare"}
