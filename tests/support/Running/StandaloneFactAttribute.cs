using Entrepot.TestSupport.Product;
using Xunit;

namespace Entrepot.TestSupport.Running;

/// <summary>A fact about the standalone service alone. Where the tests run the cluster it is skipped, with the reason: it ran in the other shape.</summary>
/// <param name="why">What it looks at that the cluster does not have.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class StandaloneFactAttribute(string why) : FactAttribute
{
    /// <inheritdoc/>
    public override string? Skip
    {
        get => base.Skip ?? Shape.SkipsStandalone(why);
        set => base.Skip = value;
    }
}

/// <summary><see cref="StandaloneFactAttribute"/> for a theory.</summary>
/// <param name="why">What it looks at that the cluster does not have.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class StandaloneTheoryAttribute(string why) : TheoryAttribute
{
    /// <inheritdoc/>
    public override string? Skip
    {
        get => base.Skip ?? Shape.SkipsStandalone(why);
        set => base.Skip = value;
    }
}
