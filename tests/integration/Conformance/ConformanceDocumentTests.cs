using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>The document and the facts are one thing. Needs nothing to run.</summary>
public sealed class ConformanceDocumentTests
{
    private static readonly string Page = Path.Combine(Checkout.Root, "docs", "conformance.md");

    [Fact]
    public void The_table_in_docs_is_generated_from_these_facts()
    {
        var expected = ConformanceDocument.Write();
        if (Environment.GetEnvironmentVariable("ENTREPOT_WRITE_DOCS") == "1") File.WriteAllText(Page, expected);
        Assert.True(File.Exists(Page) && File.ReadAllText(Page) == expected, $"{Page} is not what the facts say: run this test with ENTREPOT_WRITE_DOCS=1 and commit the page.");
    }

    [Fact]
    public void Every_rule_is_there_once_and_says_what_is_asked_and_answered()
    {
        var facts = Sections.All.SelectMany(section => section.Facts).ToList();
        Assert.Empty(facts.GroupBy(fact => fact.Rule).Where(group => group.Count() > 1).Select(group => group.Key));
        Assert.All(facts, fact => Assert.True(fact.Shown.Count > 0 && fact.Answer.Count > 0 && fact.Source.Length > 0, fact.Rule));
        var same = facts.Where(fact => fact.ShowsRequest).GroupBy(fact => string.Join('\n', [fact.Where, .. fact.Shown, .. fact.Answer])).Where(group => group.Count() > 1);
        Assert.Equal("", string.Join('\n', same.Select(group => string.Join(" = ", group))));
    }

    [Fact]
    public void Every_theory_of_facts_is_in_the_document()
    {
        var declared = typeof(Sections).Assembly.GetTypes()
            .SelectMany(type => type.GetFields(System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Public))
            .Where(field => field.FieldType == typeof(Section)).Select(field => (Section)field.GetValue(null)!).ToHashSet();
        Assert.Equal(declared, Sections.All.ToHashSet());
    }
}
