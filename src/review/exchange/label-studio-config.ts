/** Names that the configuration gives to what a person does, by which results are known again. */
export const boxesControl = 'phrase'
export const foundControl = 'found'
export const picture = 'image'
export const allFound = 'all found'

/** The words to choose from are the picture's own: `$phrases`, dynamic labels. */
export const labelStudioConfig = `<View>
  <Text name="caption" value="$caption"/>
  <Image name="${picture}" value="$image" zoom="true" zoomControl="true"/>
  <RectangleLabels name="${boxesControl}" toName="${picture}" value="$phrases"/>
  <Choices name="${foundControl}" toName="${picture}" choice="single">
    <Choice value="${allFound}"/>
  </Choices>
</View>
`
