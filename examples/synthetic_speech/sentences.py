"""What the synthetic speakers say: sentences of our own, or the texts of a folder of transcribed speech."""

import csv
from pathlib import Path

SENTENCES: dict[str, tuple[str, ...]] = {
    "en-us": (
        "The morning train was full of people with wet umbrellas.",
        "Maybe we should buy some bread before the shop closes.",
        "Five brave boys found a purple boat behind the old mill.",
        "Would you mind moving your chair a little to the left?",
        "She chose the cheapest shoes, and they pinched her toes.",
        "My uncle bakes the best plum pie in the whole valley.",
        "Nobody knows why the owl came back every winter.",
        "Please remember to water the basil while I am away.",
    ),
    "en-gb": (
        "After lunch we walked past the castle in bright sunshine.",
        "The weather forecast promised fog, but it was wrong again.",
        "Put the butter on the table, and bring a proper knife.",
        "I rather doubt that a parrot could learn all of that.",
        "Both of them bought bicycles from my brother's workshop.",
        "What a pity that the museum closes at half past four!",
    ),
    "de": (
        "Am Abend sitzen wir oft auf der Bank vor dem Haus.",
        "Mein Vater pflückt die Pflaumen, und meine Mutter macht Mus daraus.",
        "Über den Wolken scheint fast immer die Sonne.",
        "Könnten Sie mir bitte sagen, wo der Bahnhof ist?",
        "Fünf freche Füchse finden früh im Feld viel Futter.",
        "Das Wetter bleibt schön, also bauen wir ein Boot.",
    ),
    "fr-fr": (
        "Le matin, je bois un grand bol de café au lait.",
        "Ma voisine a planté des pommes de terre dans son petit jardin.",
        "Peux-tu fermer la fenêtre, s'il te plaît ?",
        "Nous avons beaucoup marché sous la pluie ce jour-là.",
        "Un bon pain blanc ne vaut rien sans un peu de beurre.",
        "Il faudrait peut-être prévenir tout le monde avant midi.",
    ),
    "es": (
        "Mi abuela vive en un pueblo pequeño cerca del mar.",
        "Por la mañana compramos pan, fruta y un poco de queso.",
        "¿Puedes abrir la puerta mientras busco mis llaves?",
        "El viento movía las hojas de los árboles viejos.",
        "Pablo bebe agua fría porque hace mucho calor.",
        "Nunca había visto una luna tan grande y tan blanca.",
    ),
    "it": (
        "Domani mattina prendiamo il primo treno per la montagna.",
        "Mia sorella prepara una buona minestra con le verdure dell'orto.",
        "Hai già visto il nuovo ponte sopra il fiume?",
        "Il vecchio falegname parla piano, ma lavora veloce.",
        "Beppe porta sempre un bel cappello bianco.",
        "Quando piove, i bambini giocano volentieri in casa.",
    ),
    "pt-br": (
        "O barco pequeno voltou para o porto antes da chuva.",
        "Minha mãe faz um bolo de milho muito bom.",
        "Você pode me ajudar a levar esta mesa?",
        "As crianças brincavam na praça até a noite.",
        "Pedro pegou o pão e pôs a manteiga por cima.",
        "Talvez a gente viaje para o norte em fevereiro.",
    ),
    "nl": (
        "Morgenvroeg fietsen we samen naar het strand.",
        "Mijn buurman bakt elke vrijdag bruin brood.",
        "Kun je mij even helpen met deze zware doos?",
        "De oude molen staat al jaren stil bij de rivier.",
        "Vijf blauwe vogels vlogen over het bos.",
    ),
    "pl": (
        "Wieczorem pijemy herbatę i rozmawiamy o podróżach.",
        "Moja babcia ma piękny ogród pełen róż.",
        "Czy możesz podać mi tę małą łyżkę?",
        "W lesie było cicho, tylko wiatr poruszał liśćmi.",
        "Pan Piotr piecze w piątek pyszne pierogi.",
    ),
    "cs": (
        "Ráno jedeme vlakem do hor a večer zpátky.",
        "Moje sestra pěstuje na balkoně rajčata a bazalku.",
        "Mohl byste mi prosím říct, kolik je hodin?",
        "Pod starým mostem plave pět bílých labutí.",
    ),
    "hu": (
        "Reggel a piacon friss kenyeret és almát vettünk.",
        "A nagymamám minden este mesét mond az unokáinak.",
        "Megmondaná kérem, merre van a pályaudvar?",
        "Puha hó borította be a falu apró házait.",
    ),
    "fi": (
        "Aamulla lähdemme veneellä pienelle saarelle.",
        "Isoäiti keittää marjoista hyvää mehua.",
        "Voisitko sulkea ikkunan, kun tulee kylmä?",
        "Vanha puusilta narisi jokaisella askeleella.",
    ),
    "sv": (
        "På morgonen dricker vi kaffe vid fönstret.",
        "Min bror bygger en liten båt av gamla plankor.",
        "Kan du hjälpa mig att bära in veden?",
        "Fem vita fåglar flög över den blå fjärden.",
    ),
    "tr": (
        "Sabah erkenden pazara gidip taze peynir aldık.",
        "Babam bahçede büyük bir masa yapıyor.",
        "Bana biraz su verebilir misiniz lütfen?",
        "Küçük kuş penceremin önünde şarkı söylüyor.",
    ),
    "ru": (
        "Утром мы пошли на рынок и купили свежий хлеб.",
        "Моя бабушка любит пить чай с вареньем.",
        "Вы не подскажете, где находится вокзал?",
        "Пять белых птиц пролетели над полем.",
    ),
    "el": (
        "Το πρωί πίνουμε καφέ δίπλα στη θάλασσα.",
        "Ο παππούς μου φυτεύει ντομάτες και βασιλικό.",
        "Μπορείς να ανοίξεις το παράθυρο, παρακαλώ;",
        "Το μικρό καράβι έφυγε πριν από τη βροχή.",
    ),
    "ro": (
        "Dimineața mergem cu bicicleta până la pădure.",
        "Bunica mea face o plăcintă foarte bună cu mere.",
        "Poți să închizi ușa, te rog frumos?",
        "Bătrânul pod de piatră trece peste un râu limpede.",
    ),
    "id": (
        "Pagi ini kami berjalan kaki ke pasar.",
        "Ibu membuat bubur manis untuk semua orang.",
        "Bisakah kamu membuka pintu itu sebentar?",
        "Burung putih terbang di atas sawah yang luas.",
    ),
}
"""By voice of espeak-ng."""


def load_texts(metadata: Path | None) -> dict[str, list[str]]:
    """Sentences by voice of espeak-ng; with a `metadata` CSV, the `g2p_text` of its train rows too."""
    texts = {voice: list(sentences) for voice, sentences in SENTENCES.items()}
    if metadata is not None:
        with metadata.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["split"] == "train" and 15 <= len(row["g2p_text"]) <= 140:
                    texts.setdefault(row["espeak_voice"], []).append(row["g2p_text"])
    return {voice: list(dict.fromkeys(sentences)) for voice, sentences in texts.items()}
