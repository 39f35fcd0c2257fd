// Three rules that repeat what events say, word for word: "quotes" in a finding, its reason and its evidence, "chokes" in an error, and
// "dies" in what it writes to its log before it ends. What a rule says is as secret as what it saw.
#include <varde/rule.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

class Quotes {
  public:
    explicit Quotes(varde::Setup& setup)
        : said_(setup.window({setup.literal(QUOTES_ID)})), word_{setup.key("word")}, fatal_{setup.key("fatal")} {}

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        std::vector<varde::Row> rows;
        std::string words;
        bool fatal = false;
        for (const varde::Row row : window.rows(said_)) {
            rows.push_back(row);
            words += " " + row.first_present(word_).str() + " in " + std::string(row.room());
            fatal = fatal || row.first_present(fatal_).truthy();
        }
        if (rows.empty()) return out.reason("nobody said anything");
        constexpr std::string_view name = QUOTES_ID;
        if (name == "chokes") throw std::runtime_error("choked on" + words);
        if (name == "dies") {
            std::fprintf(stderr, "heard%s\n", words.c_str());
            if (fatal) std::abort();
        }
        out.reason("said" + words);
        out.finding({varde::Severity::low, "Said" + words, "Somebody said" + words})
            .field("words", words)
            .field("event_ids", rows);
    }

  private:
    varde::Read said_;
    varde::Keys word_, fatal_;
};

VARDE_RULE(Quotes, QUOTES_ID, "1.0.0")
