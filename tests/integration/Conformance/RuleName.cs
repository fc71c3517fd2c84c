using Xunit.Abstractions;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>A rule as the argument of its test: a string would be cut in the test's name.</summary>
public sealed class RuleName : IXunitSerializable
{
    /// <summary>The rule.</summary>
    public string Text { get; private set; } = "";

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <inheritdoc/>
    public void Serialize(IXunitSerializationInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        info.AddValue(nameof(Text), Text);
    }

    /// <inheritdoc/>
    public void Deserialize(IXunitSerializationInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        Text = info.GetValue<string>(nameof(Text));
    }

    internal static RuleName Of(string text) => new() { Text = text };
}
