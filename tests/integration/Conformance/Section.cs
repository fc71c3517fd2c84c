using Xunit;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>The facts of one part of the protocol: one table, one theory.</summary>
internal sealed class Section(string title, params Fact[] facts)
{
    public string Title { get; } = title;

    public IReadOnlyList<Fact> Facts { get; } = facts;

    /// <summary>The rules, each the name of its test.</summary>
    public TheoryData<RuleName> Rules => [.. Facts.Select(fact => RuleName.Of(fact.Rule))];

    public Task CheckAsync(RuleName rule, Lab lab) => Facts.Single(fact => fact.Rule == rule.Text).CheckAsync(lab);

    /// <summary>Begins a fact.</summary>
    public static Fact Rule(string rule, string source) => new(rule, source);
}
