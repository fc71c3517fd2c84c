namespace Entrepot.Hosting;

/// <summary>
/// Options with rules that one property alone cannot tell. Called once per bound object, nested ones and dictionary entries included,
/// after all of its keys are bound.
/// </summary>
public interface IValidatableSection
{
    /// <summary>Every broken rule; empty when all is well. Values of <see cref="SecretAttribute"/> keys are masked by the caller.</summary>
    /// <param name="path">The object's own key, such as <c>Upstreams:ghcr.io</c>; empty at the root. Keys of errors are <c>path + ":" + name</c>.</param>
    IEnumerable<ConfigError> Validate(string path);
}
